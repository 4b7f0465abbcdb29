import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Revocations } from '../src/plugins/apikey-auth/revocations.ts'
import { GOOD, honest, protectedGateway, type VerifierHandler } from './apikey-support.ts'
import { send, until } from './support.ts'

/** Keys are valid if they begin with `key-`, and are their own ids. */
const byName: VerifierHandler = (key, res) =>
  res.end(key.startsWith('key-') ? JSON.stringify({ valid: true, id: key, permissions: ['READ'] }) : '{"valid":false}')
const FOR_LONG = { cache_ttl: 3600, negative_cache_ttl: 0 }

test('a revoked key is refused at once, however long a yes may be remembered; others are not', async () => {
  await using setup = await protectedGateway({ verifier: byName, config: FOR_LONG })
  const status = async (key: string) => (await send(setup.port, { path: '/api', headers: { 'x-api-key': key } })).status
  assert.deepEqual([await status('key-1'), await status('key-2')], [200, 200])
  setup.gateway.revoke('key-1')
  const answer = await send(setup.port, { path: '/api', headers: { 'x-api-key': 'key-1' } })
  assert.deepEqual([answer.status, answer.json.error], [401, 'API_KEY_INVALID'])
  assert.equal(await status('key-2'), 200)
  assert.deepEqual(setup.asked, ['key-1', 'key-2'])
})

test('a verifier that still says yes is ignored, also after a reload', async () => {
  await using setup = await protectedGateway({ verifier: byName, config: { cache_ttl: 0 } })
  const status = async () => (await send(setup.port, { path: '/api', headers: { 'x-api-key': 'key-1' } })).status
  setup.gateway.revoke('key-1')
  assert.equal(await status(), 401)
  await setup.gateway.reload()
  assert.equal(await status(), 401)
})

test('a yes that is on its way when its key is revoked neither passes nor is remembered', async () => {
  const waiting: (() => void)[] = []
  await using setup = await protectedGateway({
    verifier: (key, res, req) => waiting.push(() => honest(key, res, req)),
    config: FOR_LONG,
  })
  const ask = async () => (await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } })).status
  const asked = Array.from({ length: 10 }, ask)
  await until(() => waiting.length === 1, 'the verifier is asked')
  setup.gateway.revoke('consumer-1')
  for (const answer of waiting.splice(0)) answer()
  assert.deepEqual(new Set(await Promise.all(asked)), new Set([401]))
  assert.equal(await ask(), 401)
  assert.deepEqual(setup.reached, [])
})

test('a revocation is kept as long as a yes could be remembered, and no longer', () => {
  const clock = { now: 0 }
  const revocations = new Revocations(() => clock.now)
  revocations.add('a')
  clock.now = 3_600_000 + 60_000
  assert.ok(revocations.has('a'))
  revocations.add('b')
  revocations.add('b')
  clock.now = 3_700_001
  revocations.add('c')
  assert.deepEqual([revocations.has('a'), revocations.has('b'), revocations.size], [false, true, 2])
})
