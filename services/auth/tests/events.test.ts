import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Tokens } from '@blog-platform/auth-contract'
import { connect, type Msg } from '@nats-io/transport-node'
import { type Account, grant, newcomer, signIn, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { send } from './support/http.ts'
import { storedIn } from './support/streams.ts'
import { claimsOf } from './support/tokens.ts'
import { until } from './support/until.ts'

const auth = await startAuth({ env: { SESSIONS_PER_USER: '3' } })
const events: Msg[] = []
const plain = await connect({
  servers: auth.nats.url.replace('nats://', ''),
  maxReconnectAttempts: -1,
  reconnectTimeWait: 50,
})
auth.cleanUp.defer(() => plain.close())
plain.subscribe('user.>', { callback: (_, msg) => void events.push(msg) })
const revoked: { readonly sessionId: string; readonly userId: string }[] = []
plain.subscribe('session.revoked', { callback: (_, msg) => void revoked.push(msg.json()) })
await plain.flush()

const storedOf = async ({ id }: Account) =>
  (await storedIn(auth.nats, 'EVENTS_user')).filter(({ userId }) => userId === id)
const of = ({ id }: Account) => events.filter(msg => msg.headers?.get('ce-aggregateid') === id)
const headersOf = ({ headers }: Msg) =>
  Object.fromEntries(headers?.keys().map(name => [name.toLowerCase(), headers.get(name)]) ?? [])

async function eventsOf(account: Account, count: number): Promise<Msg[]> {
  await until(`${count} events`, () => of(account).length >= count)
  await plain.flush()
  assert.equal(of(account).length, count)
  return of(account)
}

const change = (account: Account, body: object, headers = {}) =>
  send(auth.url, 'PUT /profile/mine', { token: account.accessToken, body, headers })

test('signing up announces the user', async () => {
  for (const more of [{}, { profilePicUrl: 'https://example.com/p.png' }]) {
    const account = await signUp(auth, more)
    const [msg] = await eventsOf(account, 1)
    assert.equal(msg?.subject, 'user.created')
    const { id: userId, email, name } = account
    assert.deepEqual(msg?.json(), { userId, email, name, role: 'LEARNER', ...more })
  }
})

test('an event carries its attributes in headers, as CloudEvents specifies', async () => {
  const requestId = 'request-7'
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const account = await signUp(auth)
  await change(account, { name: 'Renamed' }, { 'x-request-id': requestId, traceparent })
  const [, msg] = await eventsOf(account, 2)
  assert.ok(msg)
  const { 'ce-id': id, 'ce-time': time, ...headers } = headersOf(msg)
  assert.deepEqual(headers, {
    'ce-specversion': '1.0',
    'ce-type': 'user.updated',
    'ce-source': 'auth',
    'ce-dataversion': '1',
    'ce-aggregateid': account.id,
    'ce-aggregatesequence': '2',
    'nats-msg-id': id,
    'x-request-id': requestId,
    traceparent,
  })
  assert.ok(Math.abs(Date.parse(time ?? '') - Date.now()) < 60_000)
})

test('a change announces the new state, without the e-mail address', async () => {
  const account = await signUp(auth)
  await change(account, { name: 'Renamed' })
  await change(account, { profilePicUrl: 'https://example.com/p.png' })
  const [, second, third] = await eventsOf(account, 3)
  assert.deepEqual(second?.json(), { userId: account.id, name: 'Renamed' })
  assert.deepEqual(third?.json(), { userId: account.id, name: 'Renamed', profilePicUrl: 'https://example.com/p.png' })
})

test('what does not change the profile is not announced', async () => {
  const account = await signUp(auth)
  await change(account, { name: 'A' })
  assert.equal((await change(account, { name: account.name })).status, 200)
  await signIn(auth, account)
  await grant(auth, account, 'AUTHOR')
  await send(auth.url, 'POST /signup/basic', { body: { ...newcomer(), email: account.email } })
  await eventsOf(account, 1)
})

test('concurrent changes are announced one by one: no number is missing, and each event has the state of its change', async () => {
  const account = await signUp(auth)
  const names = Array.from({ length: 20 }, (_, n) => `Name ${n}`)
  const answers = await Promise.all(names.map(name => change(account, { name })))
  for (const [n, answer] of answers.entries()) {
    assert.equal((answer.body.data as { name: string }).name, names[n], 'each sees its own change')
  }
  const announced = await eventsOf(account, 21)
  const sequences = announced.map(msg => Number(msg.headers?.get('ce-aggregatesequence')))
  assert.deepEqual(
    sequences.sort((a, b) => a - b),
    Array.from({ length: 21 }, (_, n) => n + 1),
  )
  const [row] = await auth.sql<{ name: string }>('select name from users where id = $1', [account.id])
  const last = announced.find(msg => msg.headers?.get('ce-aggregatesequence') === '21')
  assert.ok(last)
  assert.equal((last.json() as { name: string }).name, row?.name)
})

test('roles are announced when they change', async () => {
  const [admin, account] = [await signUp(auth), await signUp(auth)]
  await grant(auth, admin, 'ADMIN')
  for (const roles of [['AUTHOR', 'EDITOR'], ['EDITOR', 'AUTHOR'], ['LEARNER']]) {
    const put = `PUT /admin/users/${account.id}/roles`
    const answer = await send(auth.url, put, { token: admin.accessToken, body: { roles } })
    assert.equal(answer.status, 200, answer.text)
  }
  const [, ...changes] = await eventsOf(account, 3)
  assert.deepEqual(
    changes.map(msg => [msg.subject, (msg.json() as { roles: unknown }).roles]),
    [
      ['user.roles.changed', ['AUTHOR', 'EDITOR']],
      ['user.roles.changed', ['LEARNER']],
    ],
  )
})

test('sessions that are ended are announced, once; those that have ended by themselves are not', async () => {
  const account = await signUp(auth)
  const session = ({ accessToken }: Tokens) => claimsOf(accessToken).sid
  await send(auth.url, 'DELETE /signout', { token: account.accessToken })
  const [second, third] = [await signIn(auth, account), await signIn(auth, account)]
  for (const _ of [1, 2]) {
    const answer = await send(auth.url, 'POST /signout', { body: { refreshToken: second.refreshToken } })
    assert.equal(answer.status, 200, answer.text)
  }
  await auth.sql("update sessions set expires_at = now() - interval '1 s' where id = $1", [session(third)])
  const others: Tokens[] = []
  for (let n = 0; n < 5; n++) others.push(await signIn(auth, account))
  const ended = [account, second, ...others.slice(0, 2)].map(session)
  await until('the events', () => ended.every(id => revoked.some(each => each.sessionId === id)))
  await plain.flush()
  assert.deepEqual(
    revoked.filter(({ userId }) => userId === account.id),
    ended.map(sessionId => ({ sessionId, userId: account.id })),
  )
})

test('without NATS a change is answered at once; when NATS is back, it is announced', async () => {
  const account = await signUp(auth)
  await eventsOf(account, 1)
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
    auth.nats.kill(signal)
    const newcomer = await signUp(auth).finally(async () => {
      if (signal === 'SIGSTOP') auth.nats.kill('SIGCONT')
    })
    const answer = await change(account, { name: `After ${signal}` })
    assert.equal(answer.status, 200, answer.text)
    if (signal === 'SIGKILL') await auth.nats.restart()
    await until('the event in the stream', async () => (await storedOf(newcomer)).length === 1)
  }
  await until('all events in the stream', async () => (await storedOf(account)).length === 3)
  assert.deepEqual(
    (await storedOf(account)).map(({ name }) => name),
    [account.name, 'After SIGSTOP', 'After SIGKILL'],
  )
})
