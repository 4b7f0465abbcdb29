import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { connect, type Msg } from '@nats-io/transport-node'
import { createOutbox } from 'tsmicro'
import { createPostgres } from 'tsmicro/postgres'
import type { Tables } from '../src/database.ts'
import { runBootstrap } from '../src/startup/programs/bootstrap.ts'
import { newcomer, signIn, signUp } from './support/accounts.ts'
import { addAuth } from './support/auth.ts'
import { send } from './support/http.ts'
import { spawnAuth } from './support/process.ts'
import { startServers } from './support/servers.ts'
import { storedIn } from './support/streams.ts'
import { until } from './support/until.ts'

// What auth announces is kept with its changes, whatever dies in between.

const servers = await startServers()
const events: Msg[] = []
const plain = await connect({ servers: new URL(servers.nats.url).host, maxReconnectAttempts: -1 })
servers.cleanUp.defer(() => plain.close())
for (const subject of ['user.>', 'session.>']) plain.subscribe(subject, { callback: (_, msg) => void events.push(msg) })
await plain.flush()

/** Waits for this many events about something, and returns the subject, number and first number of each. */
async function told(about: string, count: number): Promise<unknown[]> {
  const of = () => events.filter(msg => msg.string().includes(about))
  await until(`${count} events about ${about}`, () => of().length >= count)
  return of().map(({ subject, headers }) => [
    subject,
    ...['ce-aggregatesequence', 'ce-aggregatefirst'].map(name => headers?.get(name) || undefined),
  ])
}

test('what was committed before kill -9 is announced after the restart; no log names an e-mail address', async () => {
  const [first, body] = [await spawnAuth(servers), newcomer()]
  await first.says('auth is ready')
  // The commit succeeds, and nothing can be sent.
  servers.nats.kill('SIGSTOP')
  const answer = await send(first.url, 'POST /signup/basic', { body })
  first.kill('SIGKILL')
  await first.exited
  servers.nats.kill('SIGCONT')
  assert.equal(answer.status, 200, answer.text)
  assert.equal(
    events.some(msg => msg.string().includes(body.email)),
    false,
  )
  const second = await spawnAuth(servers)
  assert.deepEqual(await told(body.email, 1), [['user.created', '1', undefined]])
  assert.deepEqual(
    [...first.lines, ...second.lines].filter(line => line.includes(body.email)),
    [],
  )
  second.kill('SIGTERM')
  await second.exited
})

test('the bootstrap program announces what it changes, once the service runs', async () => {
  const env = { DATABASE_URL: servers.postgres.url }
  const email = `${randomUUID()}@example.org`
  await runBootstrap(['--email', email], env)
  const auth = await addAuth(servers)
  await told(email, 1)
  const account = await signUp(auth)
  await signIn(auth, account)
  await told(account.id, 1)
  await runBootstrap(['--recover', '--email', account.email], env)
  const subjects = (await told(account.id, 4)).map(each => (each as string[])[0])
  assert.deepEqual(subjects.sort(), ['session.revoked', 'session.revoked', 'user.created', 'user.roles.changed'])
})

test('users from before events were kept are announced at the next start, and again if such an instance changes them', async () => {
  const id = randomUUID()
  await servers.sql(
    `insert into users (id, email, password_hash, name, version) values ($1, $2, 'x', 'From Before', 7)`,
    [id, `${id}@example.org`],
  )
  const [one] = await Promise.all([addAuth(servers), addAuth(servers)])
  const asOfNow = (number: string) => [
    ['user.created', number, number],
    ['user.roles.changed', String(Number(number) + 1), number],
  ]
  assert.deepEqual(await told(id, 2), asOfNow('8'))
  await servers.sql('update users set version = 12 where id = $1', [id])
  await addAuth(servers)
  assert.deepEqual(await told(id, 4), [...asOfNow('8'), ...asOfNow('13')])
  // Others are announced once.
  const account = await signUp(one)
  await addAuth(servers)
  await told((await signUp(one)).id, 1)
  assert.deepEqual(await told(account.id, 1), [['user.created', '1', undefined]])
})

test('an operator has the states of users announced again', async () => {
  const [{ peer, ...auth }, unknown] = [await addAuth(servers), randomUUID()]
  const account = await signUp({ peer, ...auth })
  await told(account.id, 1)
  const announce = async (request: object) => {
    const body = JSON.stringify({ data: { command: 'announce', type: 'user', ...request } })
    return (await plain.request('_TSMICRO.events.auth', body, { timeout: 30_000 })).json()
  }
  assert.deepEqual(await announce({ aggregateId: account.id }), { data: { announced: 1 } })
  assert.deepEqual((await told(account.id, 2)).at(-1), ['user.created', '2', '2'])
  for (const aggregateId of [unknown, 'no id'])
    assert.deepEqual(await announce({ aggregateId }), { data: { announced: 0 } })
  await announce({})
  assert.deepEqual((await told(account.id, 3)).at(-1), ['user.created', '3', '3'])
})

test("a user's earlier events can be erased; the next one says that none of them is needed", async () => {
  const postgres = createPostgres<Tables>({ url: servers.postgres.url })
  const outbox = createOutbox(postgres.outboxStore())
  const auth = await addAuth(servers, { overrides: { postgres, outbox } })
  const [erased, kept] = [await signUp(auth), await signUp(auth)]
  const stored = async (text: string) =>
    JSON.stringify(await storedIn(servers.nats, 'EVENTS_user')).split(text).length - 1
  await until('both in the stream', async () => (await stored(erased.email)) + (await stored(kept.email)) === 2)
  await outbox.erase('user', erased.id)
  assert.deepEqual([await stored(erased.email), await stored(kept.email)], [0, 1])
  assert.deepEqual(await servers.sql(`select 1 from tsmicro_outbox where data like $1`, [`%${erased.email}%`]), [])
  await send(auth.url, 'PUT /profile/mine', { token: erased.accessToken, body: { name: 'Afterwards' } })
  assert.deepEqual((await told(erased.id, 2)).at(-1), ['user.updated', '2', '2'])
})
