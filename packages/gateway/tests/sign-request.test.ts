import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { GatewayConfigError, type GatewayOptions } from '../src/index.ts'
import { sign } from '../src/plugins/sign-request.ts'
import { echo, gatewayFor, oneService, send, upstream } from './support.ts'

const SECRET = 'a secret of thirty-two bytes or more'
const REFERENCE = '{vault://env/gateway-secret}'
const signing = (secret?: string) => ({
  plugins: [{ name: 'sign-request', config: secret === undefined ? {} : { secret } }],
})

async function signatureWith(secret: string | undefined, options: Partial<GatewayOptions> = {}) {
  await using service = await upstream(echo)
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, signing(secret)), options)
  const headers = { 'x-gateway-signature': 'mine', 'x-verify-secret': 'mine' }
  const { json } = await send(gateway.port, { headers })
  const seen = json.headers as Record<string, string>
  assert.equal(seen['x-verify-secret'], undefined)
  return seen['x-gateway-signature']
}

test('the signed text, checked with a value from another implementation', () => {
  // printf 'v1\n1700000000\nGET\n/a?b=1\nr\n10.0.0.1\n\n\nBearer t' | openssl dgst -sha256 -hmac "$SECRET"
  const headers = [
    'Authorization',
    'Bearer t',
    'authorization',
    'Bearer u',
    'X-Request-Id',
    'r',
    'x-real-ip',
    '10.0.0.1',
  ]
  const call = { method: 'GET', path: '/a', query: '?b=1', headers }
  assert.equal(
    sign(SECRET, call, 1_700_000_000),
    'v1.1700000000.bb8554133a6de2cfd9cd53921e5b97425e60ef78401152d53c3b0186e0de7cec',
  )
})

test('the secret may be written, in the environment, or in a file; a client’s own signature never arrives', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-sign-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'secret')
  writeFileSync(file, `${SECRET}\n`)
  const form = /^v1\.\d{10}\.[0-9a-f]{64}$/
  assert.match((await signatureWith(SECRET)) ?? '', form)
  assert.match((await signatureWith(REFERENCE, { env: { GATEWAY_SECRET: SECRET } })) ?? '', form)
  assert.match((await signatureWith(REFERENCE, { env: { GATEWAY_SECRET_FILE: file } })) ?? '', form)
  assert.equal(await signatureWith(REFERENCE, { env: {} }), undefined)
  assert.equal(await signatureWith(undefined), undefined)
})

test('a secret that is short or unreadable prevents the start, and is not revealed', async () => {
  const start = (env: Record<string, string>) => gatewayFor(oneService('http://a:1', signing(REFERENCE)), { env })
  await assert.rejects(start({ GATEWAY_SECRET: 'short' }), (error: Error) => {
    assert.ok(error instanceof GatewayConfigError && !error.message.includes('short'))
    return true
  })
  await assert.rejects(
    start({ GATEWAY_SECRET_FILE: '/nowhere/secret' }),
    /GATEWAY_SECRET_FILE cannot be read \(ENOENT\)/,
  )
})
