import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { VerifyingAccess } from '../../src/auth/remote/remote-access.ts'
import { createTokenSigner } from '../../src/auth/tokens/signer.ts'
import { Deadline, DoorContext, type Log, type Principal } from '../../src/call/index.ts'
import type { Role } from '../../src/contract/index.ts'
import { FORBIDDEN, SERVICE_UNAVAILABLE, UNAUTHENTICATED } from '../../src/errors/index.ts'
import { AuthInMemory, keyRing, roles } from './auth-in-memory.ts'

const issuer = 'https://auth.test'
const audience = 'platform'
const signer = createTokenSigner({ keyRing, issuer, audience })
const now = Math.floor(Date.now() / 1000)
const tokenOf = (sessionId: string, subject = 'ada', id = `${sessionId}-1`) =>
  signer.sign({ type: 'access', subject, sessionId, id, issuedAt: now, expiresAt: now + 900 })

const silent = () => {}
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log }
const deadline = new Deadline(60_000, false)
const context = () => new DoorContext({ door: 'http', headers: {}, deadline, log })

let auth: AuthInMemory
let time: { steady: number; wall: number }
let access: VerifyingAccess

beforeEach(() => {
  auth = new AuthInMemory()
  time = { steady: 0, wall: 0 }
  access = new VerifyingAccess({ auth, roles, issuer, audience }, () => [time.steady, time.wall])
})

const pass = (ms: number) => {
  time.steady += ms
  time.wall += ms
}
/** What a request with this token, and perhaps a role, gets. */
async function request(token: string, role?: Role): Promise<Principal> {
  const user = await access.authenticate(token, context())
  if (role) await access.authorize(user, role, context())
  return user
}
const asked = async (work: () => Promise<unknown>) => {
  const { calls } = auth
  await work()
  return auth.calls - calls
}
/** Stops the questions at intervals, so that a test decides when there are some. */
const timers = { apis: ['setInterval' as const] }

test('a request asks about token and role together, and the next ones about nothing, without waiting', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  const token = await tokenOf('s1')
  await access.feed.ask()
  assert.equal(await asked(() => request(token, roles.WRITER)), 1)
  const none = await asked(async () => {
    for (let count = 0; count < 1000; count++) {
      const user = access.authenticate(token, context())
      assert.ok(!(user instanceof Promise))
      assert.deepEqual(user, { id: 'ada', sessionId: 's1' })
      assert.equal(access.authorize(user, roles.WRITER, context()), undefined)
    }
  })
  assert.equal(none, 0)
  auth.add('s2')
  assert.equal(await asked(async () => request(await tokenOf('s2'))), 1)
})

test('requests at the same time share a call', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  const token = await tokenOf('s1')
  await access.feed.ask()
  assert.equal(await asked(() => Promise.all(Array.from({ length: 20 }, () => request(token)))), 1)
})

test('a session that ended, an account that is gone and a role that was taken are refused once the change is heard', async t => {
  t.mock.timers.enable(timers)
  for (const session of ['s1', 's2']) auth.add(session)
  auth.add('s3', 'grace')
  const [one, two, grace] = await Promise.all([tokenOf('s1'), tokenOf('s2'), tokenOf('s3', 'grace')])
  await access.feed.ask()
  for (const token of [one, two, grace]) await request(token, roles.WRITER)
  auth.end('s1')
  await access.feed.ask()
  await assert.rejects(request(one), UNAUTHENTICATED)
  assert.equal(await asked(() => request(two, roles.WRITER)), 0)
  auth.roles.set('ada', ['READER'])
  auth.change('user', 'ada')
  await access.feed.ask()
  await assert.rejects(request(two, roles.WRITER), FORBIDDEN)
  auth.roles.delete('ada')
  auth.change('user', 'ada')
  await access.feed.ask()
  await assert.rejects(request(two), UNAUTHENTICATED)
  assert.equal(await asked(() => request(grace, roles.WRITER)), 0)
  auth.change('apikey', 'k1')
  await access.feed.ask()
  assert.equal(await asked(() => request(grace, roles.WRITER)), 0)
  auth.change('something newer', 'x')
  await access.feed.ask()
  assert.equal(await asked(() => request(grace, roles.WRITER)), 1)
})

test('a withdrawn key is refused without a call, though the keys are still published; also after a start-over', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  const token = await tokenOf('s1')
  await access.feed.ask()
  await request(token)
  auth.change('key', keyRing.current.kid)
  await access.feed.ask()
  assert.equal(await asked(() => assert.rejects(request(token), UNAUTHENTICATED)), 0)
  const other = new VerifyingAccess({ auth, roles, issuer, audience }, () => [time.steady, time.wall])
  await other.feed.ask()
  await assert.rejects(async () => other.authenticate(token, context()), UNAUTHENTICATED)
})

test('when the lease is over each request asks, and gets 503 when that fails; never what was kept', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  const token = await tokenOf('s1')
  await access.feed.ask()
  await request(token, roles.WRITER)
  pass(799)
  assert.equal(await asked(() => request(token, roles.WRITER)), 0)
  pass(1)
  // One call for token and role, each time.
  for (let count = 0; count < 3; count++) assert.equal(await asked(() => request(token, roles.WRITER)), 1)
  auth.down = true
  await assert.rejects(request(token), SERVICE_UNAVAILABLE)
  auth.down = false
  await access.feed.ask()
  assert.equal(await asked(() => request(token, roles.WRITER)), 0)
  auth.down = true
  assert.equal((await request(token, roles.WRITER)).id, 'ada')
  pass(800)
  await assert.rejects(request(token, roles.WRITER), SERVICE_UNAVAILABLE)
})

test('what a call has said of roles is used by its request alone, and no longer than the lease', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  const user = await request(await tokenOf('s1'))
  pass(799)
  assert.equal(await asked(async () => access.authorize(user, roles.WRITER, context())), 0)
  pass(1)
  auth.roles.set('ada', [])
  await assert.rejects(async () => access.authorize(user, roles.WRITER, context()), FORBIDDEN)
})

test('an answer that was read before a change and comes after it is not kept', async t => {
  t.mock.timers.enable(timers)
  for (const change of ['session', 'user'] as const) {
    auth.add('s1')
    const token = await tokenOf('s1')
    await access.feed.ask()
    // The keys are known, and nothing else.
    await request(token)
    auth.change('something newer', 'x')
    await access.feed.ask()
    const { calls } = auth
    const send = auth.hold()
    const late = request(token)
    while (auth.calls === calls) await new Promise(resolve => setImmediate(resolve))
    auth.sendsAtOnce()
    if (change === 'session') auth.end('s1')
    else {
      auth.roles.delete('ada')
      auth.change('user', 'ada')
    }
    await access.feed.ask()
    send()
    // It began before the change.
    assert.equal((await late).id, 'ada')
    await assert.rejects(request(token), UNAUTHENTICATED)
  }
})

test('an answer that takes longer than the lease answers nobody who came meanwhile', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  const token = await tokenOf('s1')
  await access.feed.ask()
  await request(token)
  pass(800)
  const send = auth.hold()
  const first = request(token)
  while (auth.calls < 2) await new Promise(resolve => setImmediate(resolve))
  auth.sendsAtOnce()
  auth.end('s1')
  pass(800)
  const second = request(token)
  send()
  assert.equal((await first).id, 'ada')
  await assert.rejects(second, UNAUTHENTICATED)
})

test('a granted role counts at once', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  auth.roles.set('ada', ['READER'])
  const token = await tokenOf('s1')
  await access.feed.ask()
  await assert.rejects(request(token, roles.WRITER), FORBIDDEN)
  auth.roles.set('ada', ['WRITER'])
  await request(token, roles.WRITER)
  // The role was asked about, and now the user is.
  await request(token, roles.WRITER)
  assert.equal(await asked(() => request(token, roles.WRITER)), 0)
})

test('a session ends when it would without a change, and only its newest token is accepted', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  auth.endsInMs = 500
  const token = await tokenOf('s1')
  await access.feed.ask()
  await request(token)
  assert.equal(await asked(() => request(token)), 0)
  const next = await tokenOf('s1', 'ada', 's1-2')
  assert.equal(await asked(() => request(next)), 1)
  pass(500)
  await access.feed.ask()
  assert.equal(await asked(() => request(next)), 1)
})

test('a restored database makes it start over', async t => {
  t.mock.timers.enable(timers)
  auth.add('s1')
  auth.change('session', 'other')
  const token = await tokenOf('s1')
  await access.feed.ask()
  await request(token)
  auth.restore(0)
  auth.sessions.delete('s1')
  await access.feed.ask()
  await assert.rejects(request(token), UNAUTHENTICATED)
})

test('a lease of 0 asks about each request', async () => {
  auth.add('s1')
  const token = await tokenOf('s1')
  const strict = new VerifyingAccess({ auth, roles, issuer, audience, leaseMs: 0 })
  const both = await asked(async () => {
    await Promise.all([strict.authenticate(token, context()), strict.authenticate(token, context())])
    await strict.authenticate(token, context())
  })
  assert.equal(both, 3)
})
