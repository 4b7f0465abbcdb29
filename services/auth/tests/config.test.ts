import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { envExample } from 'tsmicro/config'
import { createLogger } from 'tsmicro/telemetry'
import { gatewayDoor } from '../src/env.ts'
import { createAuthService, Env, loadEnv } from '../src/index.ts'
import { runAuth } from './support/process.ts'

const keysDir = mkdtempSync(join(tmpdir(), 'auth-keys-'))
after(() => rmSync(keysDir, { recursive: true, force: true }))
const GOOD = {
  DATABASE_URL: 'postgres://app:s3cret-d@127.0.0.1:1/app',
  NATS_URL: 'nats://auth:s3cret-n@127.0.0.1:1',
  KEYS_DIR: keysDir,
  GATEWAY_SECRET: 's3cret-gateway-s3cret-gateway-s3cret',
  VERIFY_SECRET: 's3cret-verify-s3cret-verify-s3cret-v',
}

/** The process exits at once with 1 and prints only this, without secrets or a stack. */
async function assertRefused(env: Record<string, string>, ...lines: RegExp[]): Promise<void> {
  const { code, signal, output } = await runAuth(env)
  assert.deepEqual([code, signal], [1, null], output)
  assert.doesNotMatch(output, /s3cret|\n\s+at /)
  assert.equal(output.split('\n').length, lines.length, output)
  for (const line of lines) assert.match(output, line)
}

test('all problems are reported at once, without secrets', () =>
  assertRefused(
    { DATABASE_URL: 'mysql://app:s3cret-d@host/app', NATS_URL: 's3cret-n', PORT: '80x', LOG_LEVEL: 'loud' },
    /^auth: the environment does not fit:$/m,
    /PORT is "80x", expected an integer from 0 to 65535/,
    /LOG_LEVEL is "loud", expected one of/,
    /DATABASE_URL has a value \(not shown\)/,
    /NATS_URL has a value \(not shown\)/,
    /KEYS_DIR is not set/,
  ))

test('production does not create a signing key, and exits with one line', () =>
  assertRefused(GOOD, /^auth: KEYS_DIR: no signing key in .*: put a PKCS8 file/))

test('production refuses development data', () => {
  assert.throws(() => loadEnv({ ...GOOD, SEED_DEVELOPMENT_DATA: 'true' }), {
    name: 'ConfigError',
    message: /SEED_DEVELOPMENT_DATA is true, .* production/,
  })
})

test('a file that is not a key is named', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'auth-keys-'))
  try {
    writeFileSync(join(directory, '0001.pem'), 's3cret', { mode: 0o600 })
    await assertRefused({ ...GOOD, KEYS_DIR: directory }, /^auth: KEYS_DIR: .*0001\.pem is not a usable signing key/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the service is built without touching KEYS_DIR, so that tools can read its contracts', () => {
  const directory = join(keysDir, 'missing')
  const log = createLogger({ name: 'auth', level: 'silent' })
  for (const NODE_ENV of ['production', 'development']) {
    const service = createAuthService(loadEnv({ ...GOOD, KEYS_DIR: directory, NODE_ENV }), log)
    assert.ok(service.natsAccess.serves.length > 0)
  }
  assert.equal(existsSync(directory), false)
})

test('without NODE_ENV it runs as production, so that forgetting it is never insecure', () => {
  assert.equal(loadEnv(GOOD).NODE_ENV, 'production')
  assert.equal(loadEnv({ ...GOOD, SEED_DEVELOPMENT_DATA: 'yes', NODE_ENV: 'development' }).SEED_DEVELOPMENT_DATA, true)
})

test('a printed config shows no secrets', () => {
  assert.doesNotMatch(JSON.stringify({ ...loadEnv(GOOD) }) + JSON.stringify(loadEnv(GOOD)), /s3cret/)
})

test('.env.example matches the schema', () => {
  assert.equal(readFileSync(new URL('../.env.example', import.meta.url), 'utf8'), envExample(Env))
})

test('production requires the secrets of the gateway unless configured otherwise', () => {
  const production = {
    DATABASE_URL: 'postgres://a@b/c',
    NATS_URL: 'nats://a',
    KEYS_DIR: '/keys',
    NODE_ENV: 'production',
  }
  const secrets = { GATEWAY_SECRET: 'x'.repeat(32), VERIFY_SECRET: 'y'.repeat(32) }
  assert.throws(
    () => loadEnv(production),
    /GATEWAY_SECRET is missing.*\n.*VERIFY_SECRET is missing.*REQUIRE_GATEWAY=false/,
  )
  assert.throws(() => loadEnv({ ...production, ...secrets, GATEWAY_SECRET: 'short' }), /GATEWAY_SECRET/)
  const door = { secret: secrets.GATEWAY_SECRET, verifySecret: secrets.VERIFY_SECRET }
  assert.deepEqual(gatewayDoor(loadEnv({ ...production, ...secrets })), door)
  assert.equal(gatewayDoor(loadEnv({ ...production, REQUIRE_GATEWAY: 'false' })), undefined)
  const believed = { ...door, required: false }
  assert.deepEqual(gatewayDoor(loadEnv({ ...production, ...secrets, NODE_ENV: 'development' })), believed)
  assert.deepEqual(gatewayDoor(loadEnv({ ...production, ...secrets, REQUIRE_GATEWAY: 'false' })), believed)
  assert.deepEqual(gatewayDoor(loadEnv({ ...production, ...secrets, NODE_ENV: 'test', REQUIRE_GATEWAY: 'true' })), door)
})
