import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { signingKeys, validation } from '@blog-platform/auth-contract'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { createHttpClient } from 'tsmicro/client'
import { DEMO_API_KEY } from '../src/index.ts'
import { signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'

const auth = await startAuth({ env: { SEED_DEVELOPMENT_DATA: 'true' } })
auth.secrets.add(DEMO_API_KEY)

async function addKey(state: { readonly revoked?: boolean; readonly expires?: string } = {}): Promise<string> {
  const key = randomBytes(16).toString('hex')
  auth.secrets.add(key)
  const hash = createHash('sha256').update(key).digest()
  await auth.sql(
    `insert into api_keys (key_hash, comment, revoked_at, expires_at)
     values ($1, 'test', case when $2 then now() end, now() + $3::interval)`,
    [hash, state.revoked ?? false, state.expires ?? null],
  )
  return key
}

const post = (body: unknown, headers = {}) => send(auth.url, 'POST /verify/apikey', { body, headers })
const get = (headers: Record<string, string>) => send(auth.url, 'GET /verify/apikey', { headers })

async function assertValid(key: string, valid: boolean): Promise<void> {
  const asked = await post({ key })
  assert.equal(asked.status, 200)
  if (valid) assert.match(asked.text, /^\{"valid":true,"id":"[0-9a-f-]{36}","permissions":\[/)
  else assert.equal(asked.text, '{"valid":false}')
  const answer = await get({ 'x-api-key': key })
  if (valid) assertSuccess(answer, 'Valid API key')
  else assertFailure(answer, 401, 'API_KEY_INVALID')
}

test('a key is valid if it is known, not revoked and not expired', async () => {
  await assertValid(DEMO_API_KEY, true)
  await assertValid(await addKey(), true)
  await assertValid(await addKey({ expires: '1 hour' }), true)
  await assertValid(await addKey({ expires: '-1 second' }), false)
  await assertValid(await addKey({ revoked: true }), false)
  await assertValid(await addKey({ revoked: true, expires: '1 hour' }), false)
  await assertValid('unknown', false)
  await assertValid(DEMO_API_KEY.toLowerCase(), false)
  await assertValid(`${DEMO_API_KEY}0`, false)
})

test('the answer about a valid key has its id and permissions, any other answer has neither', async () => {
  const answer = async (key: string) => (await post({ key })).body as unknown as Record<string, unknown>
  const keyWith = async (permissions: string) => {
    const key = await addKey()
    const [row] = await auth.sql<{ id: string }>(
      'update api_keys set permissions = $2 where key_hash = $1 returning id',
      [createHash('sha256').update(key).digest(), permissions],
    )
    return { key, id: row?.id }
  }
  for (const [held, permissions] of [
    ['{READ}', ['READ']],
    ['{WRITE}', ['WRITE']],
    ['{READ,WRITE}', ['READ', 'WRITE']],
    ['{}', []],
  ] as const) {
    const { key, id } = await keyWith(held)
    assert.deepEqual(await answer(key), { valid: true, id, permissions })
  }
  assert.deepEqual(await answer(await addKey({ revoked: true })), { valid: false })
})

test('a revocation applies from the next verification on', async () => {
  const key = await addKey()
  await assertValid(key, true)
  await auth.sql('update api_keys set revoked_at = now() where key_hash = $1', [
    createHash('sha256').update(key).digest(),
  ])
  await assertValid(key, false)
})

test('a missing, empty or overlong key', async () => {
  assertFailure(await get({}), 401, 'API_KEY_INVALID')
  assertFailure(await get({ 'x-api-key': '' }), 401, 'API_KEY_INVALID')
  assertFailure(await get({ 'x-api-key': 'k'.repeat(201) }), 401, 'API_KEY_INVALID')
  for (const key of ['', 'k'.repeat(201), null, 7, [DEMO_API_KEY], { $gt: '' }])
    assertInvalid(await post({ key }), 'key')
  assertInvalid(await post({}), '')
  assertInvalid(await post([]), '')
  assertFailure(await post({ key: `${DEMO_API_KEY}\0` }), 400, 'VALIDATION_FAILED')
  assertFailure(await post({ key: '\ud800' }), 400, 'VALIDATION_FAILED')
  assert.equal((await post({ key: 'k'.repeat(200) })).text, '{"valid":false}')
  assert.equal((await post({ key: 'ключ 🔑' })).text, '{"valid":false}')
})

test('the route does not exist from outside', async () => {
  for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
    assertFailure(await post({ key: DEMO_API_KEY }, { [header]: '10.0.0.1' }), 404, 'ROUTE_NOT_FOUND')
    assertFailure(await get({ 'x-api-key': DEMO_API_KEY, [header]: '' }), 404, 'ROUTE_NOT_FOUND')
  }
  const headers = { 'x-forwarded-for': '10.0.0.1' }
  assertFailure(await send(auth.url, 'PUT /verify/apikey', { headers }), 404, 'ROUTE_NOT_FOUND')
  assertFailure(await send(auth.url, 'PUT /verify/apikey'), 405, 'METHOD_NOT_ALLOWED')
})

test('keys are stored as hashes', async () => {
  const rows = await auth.sql<{ key_hash: Buffer }>('select * from api_keys')
  assert.ok(rows.length > 1)
  for (const { key_hash } of rows) assert.equal(key_hash.length, 32)
  assert.ok(!JSON.stringify(rows).includes(DEMO_API_KEY))
})

test('the published keys verify a token and contain nothing private', async () => {
  const answer = await send(auth.url, 'GET /.well-known/jwks.json')
  const set = answer.body as unknown as JSONWebKeySet
  assert.equal(answer.status, 200)
  assert.equal(set.keys.length, 1)
  assert.deepEqual(Object.keys(answer.body), ['keys'])
  assert.deepEqual(Object.keys(set.keys[0] ?? {}).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  const account = await signUp(auth)
  for (const token of [account.accessToken, account.refreshToken]) {
    const options = { issuer: 'https://auth.tsmicro.dev', audience: 'tsmicro', algorithms: ['RS256'] }
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(set), options)
    assert.equal(payload.sub, account.id)
    assert.equal(protectedHeader.kid, set.keys[0]?.kid)
    assert.deepEqual(Object.keys(payload).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'nbf', 'sid', 'sub'])
  }
  assert.deepEqual(await createHttpClient(signingKeys, { baseUrl: auth.url }).jwks({}), set)
  assert.deepEqual(await auth.peer.client(validation).publicKeys(), set)
})
