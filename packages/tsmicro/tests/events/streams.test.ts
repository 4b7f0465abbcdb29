import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { locateNats } from '@tsmicro/infra'
import { createPublisher, implement, on, StartError } from 'tsmicro'
import { contract, event, procedure } from 'tsmicro/contract'
import { JetStream } from 'tsmicro/internal'
import Type from 'typebox'
import { client, ownNats } from '../support/nats.ts'
import { build, serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const User = Type.Object({ userId: Type.String() })
const told = (subject: string) => event({ subject, aggregate: 'userId', data: User })
const users = contract('auth', {
  ping: procedure({ nats: 'ping', access: 'internal', output: Type.String() }),
  userCreated: told('user.created'),
  userUpdated: told('user.updated'),
  keyRevoked: told('apikey.revoked'),
})
const older = contract('auth', { userCreated: users.userCreated, userGone: told('user.gone') })
const server = await ownNats()
const serving = { name: 'auth', natsUrl: server.url, handlers: [implement(users, { ping: () => 'pong' })] }

const admin = await client(server.url)
const jetStream = new JetStream(admin)
const subjectsOf = async (name: string) => (await jetStream.stream(name))?.config.subjects

test('a service creates a stream for each type of its events, and one for what it cannot handle', async () => {
  const welcome = on(users.userCreated, { name: 'welcome', effect: 'idempotent' }, () => {})
  await using _ = await serve({ ...serving, handlers: [...serving.handlers, welcome] })
  assert.deepEqual(await subjectsOf('EVENTS_user'), ['user.created', 'user.updated'])
  assert.deepEqual(await subjectsOf('EVENTS_apikey'), ['apikey.revoked'])
  assert.deepEqual(await subjectsOf('DEAD_auth'), ['_TSMICRO.dead.auth.>'])
  const { config } = (await jetStream.stream('EVENTS_user')) ?? {}
  assert.equal(config?.storage, 'file')
  assert.equal(config?.max_age, 30 * 24 * 60 * 60 * 1e9)
  assert.equal(config?.duplicate_window, 120e9)
  assert.equal(config?.metadata?.['tsmicro.service'], 'auth')
})

test('an event is stored although nobody listens, and calls are answered by their service alone', async () => {
  await using auth = await serve(serving)
  const before = (await jetStream.stream('EVENTS_user'))?.state.messages ?? 0
  await createPublisher(auth.nats, 'auth').publish(users.userCreated, { userId: 'a' }, { id: 'e-1', sequence: 1 })
  await createPublisher(auth.nats, 'auth').publish(users.userCreated, { userId: 'a' }, { id: 'e-1', sequence: 1 })
  const { state } = (await jetStream.stream('EVENTS_user')) ?? {}
  assert.equal(state?.messages, before + 1, 'the second one has the same id')
  const kept = await jetStream.message('EVENTS_user', { last_by_subj: 'user.created' })
  assert.equal(kept?.headers['ce-id'], 'e-1')
  assert.equal(kept?.headers['ce-aggregatesequence'], '1')
  assert.deepEqual(JSON.parse(Buffer.from(kept?.data ?? []).toString()), { userId: 'a' })
  for (let call = 0; call < 20; call++) assert.equal(await admin.client(users).ping(), 'pong')
})

test('several versions of a service start at the same time: no subject is lost, nothing else is changed', async () => {
  const known = await subjectsOf('EVENTS_user')
  const versions = [users, older, users, older].map(contract =>
    build({ ...serving, handlers: [], publishes: [contract] }),
  )
  await Promise.all(versions.map(({ service }) => service.start()))
  for (const { service } of versions) await service.stop()
  assert.deepEqual((await subjectsOf('EVENTS_user'))?.toSorted(), [...(known ?? []), 'user.gone'].toSorted())
  // What the newest does not know stays.
  await using _ = await serve(serving)
  assert.ok((await subjectsOf('EVENTS_user'))?.includes('user.gone'))
})

test('a stream that is not as declared stays as it is, and the log says so in one line', async () => {
  const { config } = (await jetStream.stream('EVENTS_apikey')) ?? {}
  assert.ok(config)
  await jetStream.updateStream({ ...config, max_age: 60e9, duplicate_window: 60e9 })
  await using auth = await serve(serving)
  const [warning, ...others] = auth.log.at('warn').filter(({ message }) => message.includes('stream'))
  assert.match(
    warning?.message ?? '',
    /^stream EVENTS_apikey is not as declared, and stays so: max_age is 60000000000 /,
  )
  assert.deepEqual(others, [])
  assert.equal((await jetStream.stream('EVENTS_apikey'))?.config.max_age, 60e9)
})

test("a service does not start with another's events, nor with subjects of another stream", async () => {
  await using _ = await serve(serving)
  const thief = build({
    ...serving,
    name: 'thief',
    handlers: [],
    publishes: [contract('thief', { made: told('user.made') })],
  })
  await assert.rejects(thief.service.start(), (error: Error) => {
    assert.ok(error instanceof StartError)
    assert.match(
      error.message,
      /stream EVENTS_user belongs to service "auth": .* call those of "thief" something else$/,
    )
    return true
  })
  await jetStream.createStream({ name: 'all', subjects: ['order.>'] })
  const shop = build({
    ...serving,
    name: 'shop',
    handlers: [],
    publishes: [contract('shop', { made: told('order.made') })],
  })
  await assert.rejects(shop.service.start(), /another stream has subjects of EVENTS_order \(order.made\)/)
})

test('an event and a procedure with one subject do not fit together, whoever declares them', async () => {
  assert.throws(
    () => contract('auth', { ping: users.ping, pinged: told('auth.ping') }),
    /^TypeError: contract auth: ping and pinged share the subject auth.ping$/,
  )
  const ping = contract('auth', { ping: users.ping })
  const own = { ...serving, handlers: [implement(ping, { ping: () => 'pong' })] }
  assert.throws(
    () => build({ ...own, publishes: [contract('auth', { pinged: told('auth.ping') })] }),
    /event auth.ping and auth.ping both want auth.ping/,
  )
  const pinged = contract('shop', { pinged: told('auth.ping') })
  const caller = { ...serving, name: 'shop', handlers: [], calls: [ping] }
  const meets = /^StartError: event auth.ping has the subject of procedure auth.ping: change one of them$/
  assert.throws(() => build({ ...caller, publishes: [pinged] }), meets)
  assert.throws(() => build({ ...caller, handlers: [on(pinged.pinged, { everyInstance: true }, () => {})] }), meets)
  // Nor may its stream have what another service may answer some day.
  assert.throws(
    () => build({ ...caller, publishes: [contract('shop', { done: told('auth.done') })] }),
    /^StartError: event auth.done begins like the requests to service auth: begin it with what has changed, /,
  )
  for (const subject of ['auth.ping.batch', 'auth.files.stream.x']) assert.throws(() => told(subject), /is reserved/)
})

test('what JetStream delivers to the subject of another event is not handled', async () => {
  const seen: unknown[] = []
  const keyRevoked = on(users.keyRevoked, { everyInstance: true }, ({ data }) => void seen.push(data))
  await using auth = await serve({ ...serving, handlers: [...serving.handlers, keyRevoked] })
  const publisher = createPublisher(auth.nats, 'auth')
  await publisher.publish(users.userCreated, { userId: 'forged' })
  const push = { durable_name: 'x', ack_policy: 'none', deliver_policy: 'all', deliver_subject: 'apikey.revoked' }
  const request = JSON.stringify({ stream_name: 'EVENTS_user', config: push })
  await admin.exchange('$JS.API.CONSUMER.CREATE.EVENTS_user.x', request, { timeoutMs: 30_000 })
  const delivered = async () => ((await jetStream.consumer('EVENTS_user', 'x'))?.num_pending ?? 1) === 0
  await until('all is delivered', delivered)
  await publisher.publish(users.keyRevoked, { userId: 'right' })
  await until('it is handled', () => seen.length > 0)
  assert.deepEqual(seen, [{ userId: 'right' }])
  await jetStream.deleteConsumer('EVENTS_user', 'x')
})

test('without JetStream on the server, or for the account, the service says so in one line and does not start', async () => {
  for (const url of [await plainServer(), await withoutAccount()]) {
    const { service } = build({ ...serving, natsUrl: url })
    await assert.rejects(service.start(), (error: Error) => {
      assert.ok(error instanceof StartError)
      assert.equal(
        error.message,
        'JetStream cannot be used: the NATS server has none, or not for this account: start it with -js',
      )
      return true
    })
    // Who has no events needs none.
    const calls = contract('auth', { ping: users.ping })
    await using _ = await serve({ ...serving, natsUrl: url, handlers: [implement(calls, { ping: () => 'pong' })] })
  }
})

/** A nats-server that is started by hand, without -js. */
async function plainServer(): Promise<string> {
  const found = await locateNats()
  assert.ok(found)
  const child = spawn(found.binary, ['-a', '127.0.0.1', '-p', '-1'], { stdio: ['ignore', 'ignore', 'pipe'] })
  after(() => child.kill('SIGKILL'))
  for await (const line of createInterface(child.stderr)) {
    const [, port] = /client connections on 127\.0\.0\.1:(\d+)/.exec(line) ?? []
    if (port) return `nats://127.0.0.1:${port}`
  }
  throw new Error('nats-server does not start')
}

/** A nats-server whose users' account has no JetStream. */
async function withoutAccount(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-account-'))
  after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  await writeFile(file, 'accounts: { A: { users: [{ user: a, password: a }] } }\nno_auth_user: a\n')
  return (await ownNats({ extraArgs: ['-c', file] })).url
}
