import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type AccessChanges, type AccessPosition, validation } from '@blog-platform/auth-contract'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { runKeys } from '../src/startup/programs/keys.ts'
import { type Account, close, grant, refreshed, signIn, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { send } from './support/http.ts'
import { claimsOf } from './support/tokens.ts'
import { until } from './support/until.ts'

const auth = await startAuth({ env: { SESSIONS_PER_USER: '3' } })
const admin = await signUp(auth)
await grant(auth, admin, 'ADMIN')
const peer = auth.peer.client(validation)

const now = async (): Promise<AccessPosition> => (await peer.accessChanges({})).position
const since = (position: AccessPosition): Promise<AccessChanges> => peer.accessChanges({ since: position })
const sidOf = ({ accessToken }: Pick<Account, 'accessToken'>) => claimsOf(accessToken).sid

/** What changes because of some work, as kinds and ids. */
async function changesOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = await now()
  await work()
  const { changes, position, startOver } = await since(before)
  assert.equal(startOver, false)
  assert.deepEqual(
    changes.map(({ number }) => number),
    changes.map((_, index) => before.number + index + 1),
  )
  assert.equal(position.number, before.number + changes.length)
  return changes.map(({ kind, id }) => `${kind} ${id}`)
}

const setRoles = (id: string, roles: readonly string[]) =>
  send(auth.url, `PUT /admin/users/${id}/roles`, { token: admin.accessToken, body: { roles } })

test('whatever ends or changes what others may keep has a number, once; nothing else has one', async () => {
  const user = await signUp(auth)
  const { id } = user
  const token = user.accessToken
  assert.deepEqual(await changesOf(() => signUp(auth)), [])
  assert.deepEqual(await changesOf(() => signIn(auth, user)), [])
  assert.deepEqual(await changesOf(() => send(auth.url, 'GET /profile/mine', { token })), [])
  const rename = () => send(auth.url, 'PUT /profile/mine', { token, body: { name: 'Another Name' } })
  assert.deepEqual(await changesOf(rename), [`user ${id}`])
  assert.deepEqual(await changesOf(rename), [])
  assert.deepEqual(await changesOf(() => setRoles(id, ['EDITOR', 'AUTHOR'])), [`user ${id}`])
  let renewed = { accessToken: '', refreshToken: '' }
  const renew = async () => {
    renewed = await refreshed(auth, user)
  }
  assert.deepEqual(await changesOf(renew), [`session ${sidOf(user)}`])
  const signOut = () => send(auth.url, 'DELETE /signout', { token: renewed.accessToken })
  assert.deepEqual(await changesOf(signOut), [`session ${sidOf(user)}`])
  assert.deepEqual(await changesOf(signOut), [])
  assert.deepEqual(await changesOf(() => close(auth, user)), [`user ${id}`])

  const other = await signUp(auth)
  const first = sidOf(other)
  for (let more = 0; more < 2; more++) await signIn(auth, other)
  assert.deepEqual(await changesOf(() => signIn(auth, other)), [`session ${first}`])
  const gone = await changesOf(() => auth.sql('delete from users where id = $1', [other.id]))
  assert.deepEqual(new Set(gone.map(each => each.split(' ')[0])), new Set(['user', 'session']))
  assert.equal(gone.length, 4)
})

test('withdrawn keys of both kinds have a number', async () => {
  const { body } = await send<{ id: string }>(auth.url, 'POST /admin/apikeys', {
    token: admin.accessToken,
    body: { comment: 'x' },
  })
  await send(auth.url, 'POST /admin/apikeys', { token: admin.accessToken, body: { comment: 'y' } })
  const { id } = body.data
  const revoke = () => send(auth.url, `DELETE /admin/apikeys/${id}`, { token: admin.accessToken })
  assert.deepEqual(await changesOf(revoke), [`apikey ${id}`])
  const kid = randomUUID()
  await auth.sql(
    `insert into signing_keys (kid, modulus, exponent, published_at, signs_from, good_until)
      select $1, modulus, exponent, now(), now() + interval '1 day', now() + interval '1 day' from signing_keys limit 1`,
    [kid],
  )
  const withdraw = () => runKeys(['withdraw', kid, '--force'], { DATABASE_URL: auth.postgres.url })
  assert.deepEqual(await changesOf(withdraw), [`key ${kid}`])
  assert.deepEqual(await changesOf(withdraw), [])
  const { changes, startOver } = await peer.accessChanges({})
  assert.equal(startOver, true)
  assert.deepEqual(
    changes.map(({ kind, id }) => `${kind} ${id}`),
    [`key ${kid}`],
  )
})

test('numbers follow the order of the commits; a transaction that stays open holds up nobody', async () => {
  const [slow, fast] = [await signUp(auth), await signUp(auth)]
  const before = await now()
  const open = await auth.hold(`begin; update sessions set revoked_at = now() where id = '${sidOf(slow)}'`)
  await send(auth.url, 'DELETE /signout', { token: fast.accessToken })
  const between = await since(before)
  assert.deepEqual(
    between.changes.map(({ id }) => id),
    [sidOf(fast)],
  )
  await open.release()
  // It was rolled back.
  assert.deepEqual((await since(between.position)).changes, [])
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      const position = await now()
      const user = await signUp(auth)
      await send(auth.url, 'DELETE /signout', { token: user.accessToken })
      const { changes } = await since(position)
      assert.ok(changes.some(({ id }) => id === sidOf(user)))
    }),
  )
  const all = await since(before)
  assert.deepEqual(
    all.changes.map(({ number }) => number),
    all.changes.map((_, index) => before.number + index + 1),
  )
})

test('what a token permits comes with the number of the latest change that it contains', async () => {
  const user = await signUp(auth)
  const { id, name, accessToken: token } = user
  const ask = async () => (await peer.verifyAccess({ token })).granted
  const granted = await ask()
  assert.deepEqual(
    { ...granted, endsInMs: 0 },
    {
      user: { id, profile: { id, name } },
      sessionId: sidOf(user),
      roles: ['LEARNER'],
      number: (await now()).number,
      endsInMs: 0,
    },
  )
  assert.ok(granted && granted.endsInMs > 6 * 86_400_000 && granted.endsInMs <= 7 * 86_400_000)
  await setRoles(id, ['EDITOR', 'AUTHOR'])
  const after = await ask()
  assert.deepEqual(new Set(after?.roles), new Set(['AUTHOR', 'EDITOR']))
  assert.equal(after?.number, granted.number + 1)
  await send(auth.url, 'DELETE /signout', { token })
  assert.equal(await ask(), undefined)
  for (const wrong of ['nonsense', `${token}x`]) assert.deepEqual(await peer.verifyAccess({ token: wrong }), {})
})

test('who is too far behind, or comes from another history, starts over', async () => {
  const user = await signUp(auth)
  const before = await now()
  const rename = () => auth.sql(`update users set name = name || 'x' where id = $1`, [user.id])
  await Promise.all(Array.from({ length: 10 }, rename))
  const known = await since(before)
  assert.deepEqual([known.startOver, known.changes.length], [false, 10])
  for (const mark of [randomUUID(), known.position.mark])
    assert.equal((await since({ number: before.number + 1, mark })).startOver, true)
  assert.equal((await since({ ...known.position, number: known.position.number + 5 })).startOver, true)
  await auth.sql('update access_position set number = number + 2000')
  await rename()
  const far = await since(before)
  assert.equal(far.startOver, true)
  assert.equal((await since(far.position)).startOver, false)
})

test('an instance that cannot read the database says nothing', async () => {
  const position = await now()
  auth.postgres.kill('SIGKILL')
  await assert.rejects(since(position), SERVICE_UNAVAILABLE)
  await auth.postgres.restart()
  await until('it to answer', async () =>
    since(position).then(
      () => true,
      () => false,
    ),
  )
  assert.equal((await since(position)).startOver, false)
})

// Last, as it signs everybody out.
test('what changes for many at once has one number: everything is forgotten', async () => {
  const all = ['everything ']
  await signUp(auth)
  const many = (count: number) =>
    auth.sql(
      `insert into users (id, email, name, password_hash)
        select gen_random_uuid(), 'many-' || $1 || '-' || n || '@example.com', 'Many', 'x' from generate_series(1, $1::integer) n`,
      [count],
    )
  await many(499)
  const some = await changesOf(() => auth.sql("delete from users where email like 'many-499-%'"))
  assert.equal(some.length, 499)
  await many(5000)
  const purged = await changesOf(() => auth.sql("delete from users where email like 'many-5000-%'"))
  assert.deepEqual([purged.length, purged.at(-1)], [501, ...all])
  assert.deepEqual(await changesOf(() => auth.sql("update roles set code = code where code = 'EDITOR'")), all)
  assert.deepEqual(await changesOf(() => auth.sql('begin; truncate sessions; commit')), all)
  await assert.rejects(auth.sql('truncate signing_keys'), /signing keys are withdrawn, not truncated/)
})
