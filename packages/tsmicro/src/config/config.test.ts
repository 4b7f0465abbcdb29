import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Type from 'typebox'
import { ConfigError, describeConfig, envExample, loadConfig, secret } from './index.ts'

const Env = Type.Object({
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65535, description: 'HTTP port' }),
  RATIO: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  DEBUG: Type.Boolean({ default: false }),
  LEVEL: Type.Enum(['debug', 'info'], { default: 'info' }),
  HOSTS: Type.Array(Type.String(), { default: ['localhost'] }),
  NATS_URL: Type.String({ default: 'nats://user:hunter2@localhost:4222' }),
  NICKNAME: Type.Optional(Type.String({ minLength: 2 })),
  DATABASE_URL: secret(Type.String({ minLength: 5, description: 'PostgreSQL of this service' })),
  API_TOKEN: Type.Optional(secret(Type.String())),
})
const minimal = { DATABASE_URL: 'postgres://u:topsecret@h/d' }

function problems(env: Record<string, string>): Record<string, string> {
  try {
    loadConfig(Env, env)
  } catch (error) {
    assert(error instanceof ConfigError)
    return Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]))
  }
  return {}
}

test('fills in defaults and converts by schema', () => {
  const config = loadConfig(Env, {
    ...minimal,
    PORT: '8080',
    RATIO: '0.5',
    DEBUG: 'TRUE',
    LEVEL: 'debug',
    HOSTS: 'a, b,',
  })
  assert.equal(config.PORT, 8080)
  assert.equal(config.RATIO, 0.5)
  assert.equal(config.DEBUG, true)
  assert.equal(config.LEVEL, 'debug')
  assert.deepEqual(config.HOSTS, ['a', 'b'])
  assert.equal(config.DATABASE_URL, minimal.DATABASE_URL)
  assert.equal(config.NICKNAME, undefined)
  assert.equal('UNRELATED' in loadConfig(Env, { ...minimal, UNRELATED: 'x' }), false)
})

test('an empty variable counts as unset: default, undefined, or missing', () => {
  const config = loadConfig(Env, { ...minimal, PORT: '', NICKNAME: '', DEBUG: '' })
  assert.equal(config.PORT, 3000)
  assert.equal(config.NICKNAME, undefined)
  assert.equal(config.DEBUG, false)
  assert.match(problems({ DATABASE_URL: '' }).DATABASE_URL ?? '', /is not set/)
})

test('reports all problems together, in words', () => {
  assert.deepEqual(problems({ PORT: '8080abc', RATIO: '0', DEBUG: 'maybe', LEVEL: 'loud', NICKNAME: 'x' }), {
    PORT: 'is "8080abc", expected an integer from 0 to 65535 (HTTP port)',
    RATIO: 'is "0", expected a number above 0',
    DEBUG: 'is "maybe", expected true or false',
    LEVEL: 'is "loud", expected one of debug, info',
    NICKNAME: 'is "x", expected text of at least 2 characters',
    DATABASE_URL: 'is not set, expected text of at least 5 characters (PostgreSQL of this service)',
  })
})

for (const text of ['1.5', '-1', '65536', '0x10', 'NaN', 'Infinity', '1e99', '1 2']) {
  test(`refuses PORT=${text}`, () => assert.ok(problems({ ...minimal, PORT: text }).PORT))
}

test('a secret is never printed', () => {
  const config = loadConfig(Env, { ...minimal, API_TOKEN: 'tok-tok-tok' })
  assert.equal(config.API_TOKEN, 'tok-tok-tok')
  const prints = [
    JSON.stringify(config),
    JSON.stringify({ nested: { config } }),
    inspect(config),
    inspect({ nested: { config } }, { depth: 9, showHidden: false }),
    JSON.stringify({ ...config }),
    JSON.stringify(Object.entries(config)),
    JSON.stringify(describeConfig(Env, config)),
  ]
  for (const print of prints) assert.doesNotMatch(print, /topsecret|tok-tok/)
  assert.deepEqual(JSON.parse(JSON.stringify(config)).DATABASE_URL, '[secret]')
  assert.equal(describeConfig(Env, config).NATS_URL, 'nats://user:[secret]@localhost:4222')
  const refused = problems({ DATABASE_URL: 'abc' }).DATABASE_URL ?? ''
  assert.match(refused, /not shown/)
  assert.doesNotMatch(refused, /abc/)
})

test('the config is deeply frozen', () => {
  const config = loadConfig(Env, minimal)
  assert.throws(() => Object.assign(config, { PORT: 1 }), TypeError)
  assert.throws(() => Object.assign(config.HOSTS, ['evil']), TypeError)
  assert.throws(() => Object.assign(config, { DATABASE_URL: 'x' }), TypeError)
  assert.deepEqual(loadConfig(Env, minimal).HOSTS, ['localhost'])
})

test('a secret may come from a file', t => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'url')
  writeFileSync(file, 'postgres://from-file\n')
  assert.equal(loadConfig(Env, { DATABASE_URL_FILE: file }).DATABASE_URL, 'postgres://from-file')
  assert.match(problems({ DATABASE_URL: 'postgres://x', DATABASE_URL_FILE: file }).DATABASE_URL ?? '', /both set/)
  assert.match(problems({ DATABASE_URL_FILE: join(directory, 'none') }).DATABASE_URL ?? '', /_FILE.*ENOENT/)
  writeFileSync(file, '\n')
  assert.match(problems({ DATABASE_URL_FILE: file }).DATABASE_URL ?? '', /is not set/)
  assert.equal(loadConfig(Env, { ...minimal, NATS_URL_FILE: file }).NATS_URL, 'nats://user:hunter2@localhost:4222')
})

test('envExample renders every variable, secrets empty', () => {
  const Small = Type.Object({
    PORT: Type.Integer({ default: 3000, minimum: 1, description: 'HTTP port' }),
    NAME: Type.Optional(Type.String()),
    KEY: secret(Type.String({ description: 'Signing key' })),
  })
  assert.equal(
    envExample(Small),
    `# HTTP port
# Optional: an integer of at least 1
# PORT=3000

# Optional: text
# NAME=

# Signing key
# Required: text
# Secret; may be given as a file: KEY_FILE
KEY=
`,
  )
})

test('a name similar to that of a missing variable is mentioned, without its value', () => {
  for (const name of [
    'DATABASE_URl',
    'database_url',
    'DATABASEURL',
    'DATABASE-URL',
    'DATABSE_URL',
    'DATABASE_URLS',
    'ADTABASE_URL',
    'DB_URL',
    'Data_Base_Url',
    'AUTH_DATABASE_URL',
    'DATABASE_URL_file',
    'DATABSE_URL_FILE',
  ]) {
    const { DATABASE_URL: told = '' } = problems({ [name]: 'postgres://topsecret' })
    assert.ok(told.endsWith(`; ${name} is set: did you mean that?`), told)
    assert.doesNotMatch(told, /topsecret/)
  }
  assert.match(problems({ 'DATABASE_URL ': 'a' }).DATABASE_URL ?? '', /; "DATABASE_URL " is set: did/)
  const two = problems({ DATABASE_URl: 'a', Database_Url: 'b' }).DATABASE_URL ?? ''
  assert.match(two, /; DATABASE_URl and Database_Url are set: did you mean that\?$/)
  for (const name of ['DATABASE', 'HOME', 'NATS_URL', 'DATABASE_URL_TEST_2', 'MONGO_URL', 'DEBUG_URL', 'DATABASE_URl'])
    assert.doesNotMatch(
      problems({ [name]: name === 'DATABASE_URl' ? '' : 'x' }).DATABASE_URL ?? '',
      /did you mean/,
      name,
    )
  const Plain = Type.Object({ NATS_URL: Type.String() })
  assert.throws(
    () => loadConfig(Plain, { NATS_URL_FILE: '/x' }),
    /NATS_URL_FILE is set, but only secrets are read from files$/,
  )
  assert.throws(() => loadConfig(Plain, { NATS_URL: ' ' }), /NATS_URL is not set/)
  const Short = Type.Object({ HOST: Type.String() })
  assert.throws(() => loadConfig(Short, { HOME: '/root' }), /HOST is not set, expected text$/)
  assert.throws(() => loadConfig(Short, { Host: 'a' }), /Host is set: did you mean that\?$/)
})
