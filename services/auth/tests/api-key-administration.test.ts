import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { ApiKey, CreatedApiKey } from '@blog-platform/auth-contract'
import { connect, type Msg } from '@nats-io/transport-node'
import { type Account, grant, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'
import { until } from './support/until.ts'

const auth = await startAuth()
const admin = await signUp(auth)
await grant(auth, admin, 'ADMIN')
const editor = await signUp(auth)
await grant(auth, editor, 'EDITOR')

const create = async (body: unknown, by: Account = admin) => {
  const answer = await send<CreatedApiKey>(auth.url, 'POST /admin/apikeys', { token: by.accessToken, body })
  if (answer.status === 200) auth.secrets.add(answer.body.data.key)
  return answer
}
const list = (query = '', by: Account = admin) =>
  send<ApiKey[]>(auth.url, `GET /admin/apikeys${query}`, { token: by.accessToken })
const revoke = (id: string, by: Account = admin) =>
  send(auth.url, `DELETE /admin/apikeys/${id}`, { token: by.accessToken })
const isValid = async (key: string) =>
  (await send(auth.url, 'POST /verify/apikey', { body: { key } })).text.startsWith('{"valid":true,')

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString()

test('a key is shown once, is valid at once, and is stored as a hash', async () => {
  const answer = await create({ comment: 'mobile app' })
  const { key, id, createdAt, ...rest } = answer.body.data
  assertSuccess(answer, 'API key created', answer.body.data)
  assert.deepEqual(rest, { comment: 'mobile app', permissions: ['READ', 'WRITE'] })
  assert.match(key, /^tsmk_[\w-]{43}$/)
  assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000)
  assert.equal(await isValid(key), true)
  const { body, text } = await list('?limit=1')
  assert.deepEqual(body.data, [{ id, createdAt, ...rest }])
  assert.ok(!text.includes(key))
  const [row] = await auth.sql<{ key_hash: Buffer }>('select * from api_keys where id = $1', [id])
  assert.equal(row?.key_hash.length, 32)
  assert.ok(!JSON.stringify(row).includes(key))
})

test('permissions and expiry are as requested', async () => {
  const expiresAt = tomorrow()
  const { body } = await create({ comment: 'x', permissions: ['READ'], expiresAt })
  assert.deepEqual([body.data.permissions, body.data.expiresAt], [['READ'], expiresAt])
  assert.equal(await isValid(body.data.key), true)
  const zoned = await create({ comment: 'x', expiresAt: '2999-01-01T01:00:00+01:00' })
  assert.equal(zoned.body.data.expiresAt, '2999-01-01T00:00:00.000Z')
})

test('two keys are never the same', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => create({ comment: 'many' })))
  for (const field of ['id', 'key'] as const)
    assert.equal(new Set(answers.map(({ body }) => body.data[field])).size, 10)
})

test('the list is paged, newest first', async () => {
  const made: string[] = []
  for (let n = 0; n < 5; n++) made.unshift((await create({ comment: `page ${n}` })).body.data.id)
  const ids = async (query: string) => (await list(query)).body.data.map(({ id }) => id)
  assert.deepEqual([...(await ids('?limit=2')), ...(await ids('?page=2&limit=2'))], made.slice(0, 4))
  assert.equal((await ids('')).length, 10)
  assert.deepEqual(await ids('?page=1000&limit=1000'), [])
})

test('a revoked key is refused from the next verification on; revoking it again changes nothing', async () => {
  const { key, id } = (await create({ comment: 'to be revoked' })).body.data
  assertSuccess(await revoke(id), 'API key revoked')
  assert.equal(await isValid(key), false)
  const listed = async () => (await list('?limit=1')).body.data[0]
  const { revokedAt } = (await listed()) ?? {}
  assert.ok(revokedAt)
  assertSuccess(await revoke(id.toUpperCase()), 'API key revoked')
  assert.deepEqual([(await listed())?.id, (await listed())?.revokedAt], [id, revokedAt])
  assertFailure(await revoke(randomUUID()), 404, 'API_KEY_NOT_FOUND')
  assertInvalid(await revoke('x'), 'id')
})

test('a revocation is announced once, with the stored id; a failed one is not', async () => {
  const events: Msg[] = []
  const plain = await connect({ servers: new URL(auth.nats.url).host })
  auth.cleanUp.defer(() => plain.close())
  plain.subscribe('apikey.>', { callback: (_, msg) => void events.push(msg) })
  await plain.flush()
  const { id } = (await create({ comment: 'to be announced' })).body.data
  for (const written of [id, id.toUpperCase()]) assertSuccess(await revoke(written), 'API key revoked')
  assertFailure(await revoke(randomUUID()), 404, 'API_KEY_NOT_FOUND')
  const last = (await create({ comment: 'to be announced last' })).body.data
  assertSuccess(await revoke(last.id), 'API key revoked')
  await until('the last event', () => events.some(msg => msg.headers?.get('ce-aggregateid') === last.id))
  const told = events.map(msg => [msg.subject, msg.json(), msg.headers?.get('ce-aggregateid')])
  assert.deepEqual(
    told,
    [id, last.id].map(apiKeyId => ['apikey.revoked', { apiKeyId }, apiKeyId]),
  )
})

test('the last key that may write cannot be revoked, and of the last two only one, even concurrently', async () => {
  for (let round = 0; round < 5; round++) {
    const others = `update api_keys set revoked_at = now() where revoked_at is null`
    await auth.sql(others)
    const reading = (await create({ comment: 'reads only', permissions: ['READ'] })).body.data
    const expired = (await create({ comment: 'expired', expiresAt: tomorrow() })).body.data
    await auth.sql(`update api_keys set expires_at = now() - interval '1 s' where id = $1`, [expired.id])
    const two = [(await create({ comment: 'one' })).body.data, (await create({ comment: 'two' })).body.data]
    const answers = await Promise.all(two.map(({ id }) => revoke(id)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409])
    const [kept] = two.filter((_, index) => answers[index]?.status === 409)
    assert.ok(kept)
    assert.equal(await isValid(kept.key), true)
    assertFailure(await revoke(kept.id), 409, 'LAST_API_KEY')
    // Keys that are already invalid, and keys that are not needed to sign in, may be revoked.
    for (const { id } of [expired, reading]) assertSuccess(await revoke(id), 'API key revoked')
    await create({ comment: 'another', permissions: ['WRITE'] })
    assertSuccess(await revoke(kept.id), 'API key revoked')
  }
})

test('a key can be revoked without NATS', async () => {
  const { id, key } = (await create({ comment: 'to be revoked alone' })).body.data
  auth.nats.kill('SIGKILL')
  assertSuccess(await revoke(id), 'API key revoked')
  assert.equal(await isValid(key), false)
  await auth.nats.restart()
  await until('ready again', async () => (await send(auth.url, 'GET /health/ready')).status === 200)
})

test('input that does not match the schema is reported', async () => {
  for (const comment of ['', 'c'.repeat(201), 7, null]) assertInvalid(await create({ comment }), 'comment')
  assertInvalid(await create({}), '')
  assertInvalid(await create({ comment: 'x', key: 'mine' }), '')
  assertInvalid(await create({ comment: 'x', permissions: [] }), 'permissions')
  assertInvalid(await create({ comment: 'x', permissions: ['READ', 'READ'] }), 'permissions')
  assertInvalid(await create({ comment: 'x', permissions: ['ROOT'] }), 'permissions/0')
  const past = new Date(Date.now() - 1000).toISOString()
  const odd = ['2999-02-30T00:00:00Z', '2999-12-31T23:59:60Z', '9999-12-31T23:59:59-14:00']
  for (const expiresAt of ['', 'tomorrow', '2999-01-01', 7, past, ...odd])
    assertInvalid(await create({ comment: 'x', expiresAt }), 'expiresAt')
  for (const query of ['page=0', 'limit=1001', 'limit=x'])
    assertInvalid(await list(`?${query}`), query.split('=')[0] ?? '')
})

test('only administrators', async () => {
  const { id, key } = (await create({ comment: 'guarded' })).body.data
  for (const answer of [await create({ comment: 'x' }, editor), await list('', editor), await revoke(id, editor)])
    assertFailure(answer, 403, 'FORBIDDEN')
  for (const route of ['POST /admin/apikeys', 'GET /admin/apikeys', `DELETE /admin/apikeys/${id}`])
    assertFailure(await send(auth.url, route), 401, 'UNAUTHENTICATED')
  assert.equal(await isValid(key), true)
})
