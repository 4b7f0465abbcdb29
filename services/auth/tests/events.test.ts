import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type Msg } from '@nats-io/transport-node'
import { type Account, grant, newcomer, signIn, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { send } from './support/http.ts'
import { until } from './support/until.ts'

const auth = await startAuth()
const events: Msg[] = []
const plain = await connect({
  servers: auth.nats.url.replace('nats://', ''),
  maxReconnectAttempts: -1,
  reconnectTimeWait: 50,
})
auth.cleanUp.defer(() => plain.close())
plain.subscribe('user.>', { callback: (_, msg) => void events.push(msg) })
await plain.flush()

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

test('without NATS a change still succeeds and the failure is logged; when NATS is back, events flow again', async () => {
  const account = await signUp(auth)
  const failures = () => auth.log.filter(line => line.includes('an event could not be published'))
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
    const before = failures().length
    auth.nats.kill(signal)
    const answer = await change(account, { name: `After ${signal}` })
    assert.equal(answer.status, 200, answer.text)
    assert.equal((await signUp(auth)).id.length, 36)
    assert.ok(failures().length > before, 'the failure is logged')
    if (signal === 'SIGSTOP') auth.nats.kill('SIGCONT')
    else await auth.nats.restart()
    await until('ready again', async () => (await send(auth.url, 'GET /health/ready')).status === 200)
  }
  // The service and the listener reconnect independently.
  const later: Account[] = []
  await until('events flow again', async () => {
    later.push(await signUp(auth))
    await plain.flush().catch(() => undefined)
    return later.some(account => of(account).length === 1)
  })
})
