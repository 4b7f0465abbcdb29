import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SLUG_INVALID } from '@blog-platform/blog-contract'
import { ConfigError, envExample } from 'tsmicro/config'
import { normalizeSlug, slugOf } from '../src/api/blog/text.ts'
import { gatewayDoor, s3Of } from '../src/env.ts'
import { Env, loadEnv } from '../src/index.ts'

const needed = {
  NATS_URL: 'nats://n:4222',
  MONGODB_URL: 'mongodb://user:hidden@m:27017',
  GATEWAY_SECRET: 'hidden-hidden-hidden-hidden-hidden',
}

test('.env.example matches the schema', () => {
  assert.equal(readFileSync(new URL('../.env.example', import.meta.url), 'utf8'), envExample(Env))
})

test('three variables are enough; nothing is open to the network by default', () => {
  const env = loadEnv(needed)
  assert.deepEqual([env.HOST, env.PORT, env.NODE_ENV], ['127.0.0.1', 8002, 'production'])
  assert.deepEqual([env.JWT_ISSUER, env.JWT_AUDIENCE], ['https://auth.tsmicro.dev', 'tsmicro'])
  assert.doesNotMatch(JSON.stringify(env), /hidden/)
  assert.throws(() => loadEnv({}), ConfigError)
})

test('production requires the secret of the gateway unless configured otherwise', () => {
  const { GATEWAY_SECRET: secret, ...without } = needed
  assert.throws(() => loadEnv(without), /GATEWAY_SECRET is missing.*REQUIRE_GATEWAY=false/)
  assert.throws(() => loadEnv({ ...needed, GATEWAY_SECRET: 'short' }), /GATEWAY_SECRET/)
  assert.deepEqual(gatewayDoor(loadEnv(needed)), { secret })
  assert.equal(gatewayDoor(loadEnv({ ...without, REQUIRE_GATEWAY: 'false' })), undefined)
  assert.deepEqual(gatewayDoor(loadEnv({ ...needed, NODE_ENV: 'development' })), { secret, required: false })
  assert.deepEqual(gatewayDoor(loadEnv({ ...needed, NODE_ENV: 'test', REQUIRE_GATEWAY: 'true' })), { secret })
})

test('one slug for all its spellings', () => {
  const cases: [string, string | undefined][] = [
    ['hello-world', 'hello-world'],
    ['  Héllo,  WORLD! ', 'hello-world'],
    ['--a--b--c--', 'a-b-c'],
    ['ﬁne ①', 'fine-1'],
    ['İstanbul', 'istanbul'],
    ['абв abc', 'abc'],
    ['日本語', undefined],
    ['...', undefined],
    ['a!', undefined],
    ['', undefined],
    ['x'.repeat(300), 'x'.repeat(200)],
    [`${'x'.repeat(199)} y`, 'x'.repeat(199)],
  ]
  for (const [text, slug] of cases) {
    assert.equal(normalizeSlug(text), slug, text)
    if (slug !== undefined) assert.equal(normalizeSlug(slug), slug, `${text} twice`)
  }
  assert.throws(() => slugOf('???'), SLUG_INVALID)
})

test('a bucket for covers is configured in full or not at all', () => {
  const covers = {
    COVERS_S3_ENDPOINT: 'https://s3.example.com',
    COVERS_S3_BUCKET: 'covers',
    COVERS_S3_KEY_ID: 'hidden',
    COVERS_S3_SECRET_KEY: 'hidden-too',
  }
  assert.equal(s3Of(loadEnv(needed)), undefined)
  const { accessKeyId, secretAccessKey, ...place } = s3Of(loadEnv({ ...needed, ...covers })) ?? {}
  assert.deepEqual(place, { endpoint: 'https://s3.example.com', bucket: 'covers', region: 'us-east-1' })
  for (const name of Object.keys(covers))
    assert.throws(() => loadEnv({ ...needed, ...covers, [name]: undefined }), new RegExp(`${name} is missing`))
})
