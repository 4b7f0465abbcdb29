import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type PrivateProfile, profile, USER_NOT_FOUND } from '@blog-platform/auth-contract'
import { VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { close, grant, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'

const auth = await startAuth()
const put = (token: string, body: unknown) => send<PrivateProfile>(auth.url, 'PUT /profile/mine', { token, body })
const nameOf = async (id: string) =>
  (await auth.sql<{ name: string }>('select name from users where id = $1', [id]))[0]?.name

test('everybody sees id, name and picture of a user, over HTTP and NATS, and nothing more', async () => {
  const plain = await signUp(auth)
  const pictured = await signUp(auth, { profilePicUrl: 'https://example.com/p.png' })
  const seen = [
    { id: plain.id, name: plain.name },
    { id: pictured.id, name: pictured.name, profilePicUrl: 'https://example.com/p.png' },
  ]
  for (const user of seen) {
    assertSuccess(await send(auth.url, `GET /profile/id/${user.id}`), 'Success', user)
    assertSuccess(await send(auth.url, `GET /profile/id/${user.id.toUpperCase()}`), 'Success', user)
    assert.deepEqual(await auth.peer.client(profile).publicProfile({ id: user.id }), user)
  }
})

test('unknown and closed accounts are not found', async () => {
  const closed = await signUp(auth)
  await close(auth, closed)
  for (const id of [randomUUID(), closed.id]) {
    assertFailure(await send(auth.url, `GET /profile/id/${id}`), 404, 'USER_NOT_FOUND')
    await assert.rejects(auth.peer.client(profile).publicProfile({ id }), USER_NOT_FOUND)
  }
})

test('invalid UUIDs are refused', async () => {
  for (const id of ['1', `${randomUUID()}x`, '%00', "' or 1=1--", 'undefined']) {
    assertInvalid(await send(auth.url, `GET /profile/id/${id}`), 'id')
  }
  assertInvalid(await send(auth.url, 'GET /profile/id/'), 'id')
  assertFailure(await send(auth.url, `DELETE /profile/id/${randomUUID()}`), 405, 'METHOD_NOT_ALLOWED')
  assertInvalid(await send(auth.url, `GET /profile/id/${randomUUID()}?x=1`), '')
  await assert.rejects(auth.peer.request('auth.profile.public', { id: 'x' }), VALIDATION_FAILED)
})

test('both doors name the invalid field in the same way', async () => {
  const overHttp = await send(auth.url, 'GET /profile/id/x')
  const details = [{ path: 'id', message: 'must match format "uuid"' }]
  assert.deepEqual(overHttp.body.details, details)
  await assert.rejects(auth.peer.request('auth.profile.public', { id: 'x' }), {
    code: 'VALIDATION_FAILED',
    data: details,
  })
})

test('users see their own profile with roles', async () => {
  const account = await signUp(auth)
  await grant(auth, account, 'EDITOR')
  const answer = await send<PrivateProfile>(auth.url, 'GET /profile/mine', { token: account.accessToken })
  const { id, email, name } = account
  const { roles } = answer.body.data
  assertSuccess(answer, 'Success', { id, email, name, roles, verified: false })
  assert.deepEqual(
    roles.map(({ code }) => code),
    ['EDITOR', 'LEARNER'],
  )
})

test('a change affects only the fields it names', async () => {
  const account = await signUp(auth)
  const { accessToken, id, email, name } = account
  const { roles } = (await put(accessToken, { profilePicUrl: 'https://example.com/1.png' })).body.data
  const changes = [
    [{ name: 'New Name' }, { name: 'New Name', profilePicUrl: 'https://example.com/1.png' }],
    [{ profilePicUrl: 'https://example.com/2.png' }, { name: 'New Name', profilePicUrl: 'https://example.com/2.png' }],
    [
      { name, profilePicUrl: 'https://example.com/3.png' },
      { name, profilePicUrl: 'https://example.com/3.png' },
    ],
  ] as const
  for (const [change, result] of changes) {
    assertSuccess(await put(accessToken, change), 'Profile changed', { id, email, roles, verified: false, ...result })
  }
  assert.equal(await nameOf(id), name)
})

test('changes that do not match the schema change nothing', async () => {
  const { accessToken: token, id, name } = await signUp(auth)
  assertInvalid(await put(token, {}), '')
  assertInvalid(await put(token, []), '')
  assertInvalid(await put(token, { name: 'A' }), 'name')
  assertInvalid(await put(token, { name: null }), 'name')
  assertInvalid(await put(token, { profilePicUrl: 'data:text/html,x' }), 'profilePicUrl')
  for (const more of [{ email: 'x@example.com' }, { roles: ['ADMIN'] }, { verified: true }, { version: 7 }, { id }]) {
    assertInvalid(await put(token, { name: 'New Name', ...more }), '')
  }
  assertFailure(
    await send(auth.url, 'PATCH /profile/mine', { token, body: { name: 'New Name' } }),
    405,
    'METHOD_NOT_ALLOWED',
  )
  assert.equal(await nameOf(id), name)
})

test('the typed client gets the same profile and the same errors', async () => {
  const account = await signUp(auth)
  const client = createHttpClient(profile, { baseUrl: auth.url })
  assert.deepEqual(await client.publicProfile({ id: account.id }), { id: account.id, name: account.name })
  await assert.rejects(client.publicProfile({ id: randomUUID() }), USER_NOT_FOUND)
  const headers = { authorization: `Bearer ${account.accessToken}` }
  assert.equal((await client.changeMyProfile({ name: 'Typed' }, { headers })).name, 'Typed')
})
