import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type PrivateProfile, type RoleName, roles, validation } from '@blog-platform/auth-contract'
import { type Account, close, grant, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'

const auth = await startAuth()
const admin = await signUp(auth)
await grant(auth, admin, 'ADMIN')

const put = (by: Account, id: string, codes: unknown) =>
  send<PrivateProfile>(auth.url, `PUT /admin/users/${id}/roles`, { token: by.accessToken, body: { roles: codes } })

const holds = async (userId: string, role: RoleName) =>
  (await auth.peer.client(validation).validateRole({ userId, role })).valid

/** Earlier tests may have left others with the role. */
const removeAdmins = () =>
  auth.sql(`delete from user_roles using roles where roles.id = role_id and code = 'ADMIN' and user_id <> $1`, [
    admin.id,
  ])

const codesOf = ({ roles: held }: PrivateProfile) => held.map(({ code }) => code)

test('a role includes lower ones, and applies from the next question on', async () => {
  const user = await signUp(auth)
  for (const role of roles.names) {
    const answer = await put(admin, user.id, [role])
    const { id, email, name } = user
    assertSuccess(answer, 'Roles changed', { id, email, name, roles: answer.body.data.roles, verified: false })
    assert.deepEqual(codesOf(answer.body.data), [role])
    const rank = roles.names.indexOf(role)
    for (const [index, asked] of roles.names.entries()) assert.equal(await holds(user.id, asked), index <= rank)
  }
})

test('a user may have several roles, in any order', async () => {
  const user = await signUp(auth)
  assert.deepEqual(codesOf((await put(admin, user.id, ['LEARNER', 'AUTHOR'])).body.data), ['AUTHOR', 'LEARNER'])
  assert.deepEqual(codesOf((await put(admin, user.id, [...roles.names])).body.data).length, 4)
})

test('closed and unknown accounts have no roles', async () => {
  const user = await signUp(auth)
  await close(auth, user)
  assert.equal(await holds(user.id, 'LEARNER'), false)
  assert.equal(await holds(randomUUID(), 'LEARNER'), false)
})

test('only administrators set roles, from the moment they become one until they no longer are', async () => {
  const user = await signUp(auth)
  for (const role of ['LEARNER', 'AUTHOR', 'EDITOR']) {
    await put(admin, user.id, [role])
    assertFailure(await put(user, user.id, ['ADMIN']), 403, 'FORBIDDEN')
    assertFailure(await put(user, user.id, ['nonsense']), 403, 'FORBIDDEN')
  }
  assert.equal(await holds(user.id, 'ADMIN'), false)
  await put(admin, user.id, ['ADMIN'])
  assert.equal((await put(user, user.id, ['LEARNER'])).status, 200)
  assertFailure(await put(user, user.id, ['ADMIN']), 403, 'FORBIDDEN')
  const anonymous = await send(auth.url, `PUT /admin/users/${user.id}/roles`, { body: { roles: ['ADMIN'] } })
  assertFailure(anonymous, 401, 'UNAUTHENTICATED')
})

test('unknown users and invalid roles', async () => {
  const closed = await signUp(auth)
  await close(auth, closed)
  for (const id of [randomUUID(), closed.id]) assertFailure(await put(admin, id, ['AUTHOR']), 404, 'USER_NOT_FOUND')
  assertInvalid(await put(admin, 'x', ['AUTHOR']), 'id')
  assertInvalid(await put(admin, admin.id, []), 'roles')
  assertInvalid(await put(admin, admin.id, ['ADMIN', 'ADMIN']), 'roles')
  assertInvalid(await put(admin, admin.id, ['ROOT']), 'roles/0')
  assertInvalid(await put(admin, admin.id, ['ADMIN', 'admin']), 'roles/1')
  assertInvalid(await put(admin, admin.id, 'ADMIN'), 'roles')
  assertInvalid(await put(admin, admin.id, [7]), 'roles/0')
  const more = { token: admin.accessToken, body: { roles: ['ADMIN'], force: true } }
  assertInvalid(await send(auth.url, `PUT /admin/users/${admin.id}/roles`, more), '')
  assertFailure(await send(auth.url, `POST /admin/users/${admin.id}/roles`, more), 405, 'METHOD_NOT_ALLOWED')
})

test('the last administrator keeps the role; a closed account does not count', async () => {
  await removeAdmins()
  const closed = await signUp(auth)
  await grant(auth, closed, 'ADMIN')
  await close(auth, closed)
  assertFailure(await put(admin, admin.id, ['EDITOR']), 400, 'LAST_ADMIN')
  assert.equal((await put(admin, admin.id, ['ADMIN', 'EDITOR'])).status, 200)
  const user = await signUp(auth)
  assert.equal((await put(admin, user.id, ['EDITOR'])).status, 200, 'others may change')
})

test('if two administrators revoke each other concurrently, one remains', async () => {
  await removeAdmins()
  const other = await signUp(auth)
  for (let round = 0; round < 20; round++) {
    for (const each of [admin, other]) await grant(auth, each, 'ADMIN')
    const answers = await Promise.all([put(admin, other.id, ['LEARNER']), put(other, admin.id, ['LEARNER'])])
    const statuses = answers.map(({ status }) => status).sort()
    // If the second one arrives when its sender is no longer an administrator, it is refused for that reason.
    assert.ok(statuses[0] === 200 && (statuses[1] === 400 || statuses[1] === 403), JSON.stringify(statuses))
    const left = await auth.sql(
      `select 1 from user_roles join roles on roles.id = role_id join users on users.id = user_id where code = 'ADMIN' and status`,
    )
    assert.equal(left.length, 1)
  }
  await grant(auth, admin, 'ADMIN')
})

test('many concurrent changes to one user leave exactly one of them, complete', async () => {
  const user = await signUp(auth)
  const wanted: RoleName[][] = [['LEARNER'], ['AUTHOR', 'EDITOR'], ['LEARNER', 'AUTHOR', 'EDITOR']]
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => put(admin, user.id, wanted[n % 3])))
  for (const { status, text } of answers) assert.equal(status, 200, text)
  const mine = await send<PrivateProfile>(auth.url, 'GET /profile/mine', { token: user.accessToken })
  const left = codesOf(mine.body.data).sort()
  assert.ok(
    wanted.some(codes => JSON.stringify([...codes].sort()) === JSON.stringify(left)),
    left.join(),
  )
})
