import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPublisher, implement, on, StartError } from 'tsmicro'
import { contract, event, natsPermissionsOf, procedure } from 'tsmicro/contract'
import { type NatsAccess, NOT_PERMITTED, natsListenerOf } from 'tsmicro/internal'
import Type from 'typebox'
import { build, serve, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const Id = Type.Object({ id: Type.String() })
const stock = contract('stock', {
  take: procedure({ nats: 'take', access: 'internal', output: Type.String() }),
  count: procedure({ nats: 'count', access: 'internal', timeoutMs: 90_000 }),
  taken: event({ subject: 'goods.taken', aggregate: 'id', data: Id }),
})
const front = contract('front', { ask: procedure({ http: 'GET /ask', access: 'key', output: Type.String() }) })
const { taken, ...calls } = stock
const onlyEvents = { taken }

const stockAccess: NatsAccess = { service: 'stock', serves: [stock] }
const handles = { list: [onlyEvents] }
const frontAccess: NatsAccess = { service: 'front', serves: [], calls: [calls], handles }
const users = [
  natsPermissionsOf(stockAccess),
  natsPermissionsOf(frontAccess),
  natsPermissionsOf({ service: 'poor', serves: [] }),
  // Like users configured by hand or by an older version: the server does not tell them their permissions.
  { ...natsPermissionsOf({ service: 'old', serves: [] }), publish: ['nothing'] },
  { ...natsPermissionsOf({ service: 'hasty', serves: [] }), responses: { max: 64, expiresSeconds: 5 } },
  natsListenerOf('listener', [onlyEvents]),
]

const deaf = natsPermissionsOf({ service: 'deaf', serves: [], calls: [calls] })
users.push({ ...deaf, subscribe: deaf.subscribe.filter(subject => !subject.startsWith('_INBOX')) })

const startError = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StartError, String(error))
  assert.match(error.message, pattern)
  assert.doesNotMatch(error.message, /\n/)
  return true
}

/** What a service does on NATS, what it declares, and what its user may do. */
export async function access(open: OpenNetwork) {
  const network = await open(users)
  await network.streams('stock', [stock])
  await network.streams('front', [], handles)
  // Longer than a test may take: a start that does not fail at once fails the test.
  const patient = { network, startTimeoutMs: 600_000 }
  const consuming = [on(taken, { everyInstance: true }, () => {})]
  const implementation = implement(stock, { take: () => 'taken', count: () => {} })

  test('with permission for all that it does, a service starts, calls, announces and receives', async () => {
    const s = await serve({
      ...patient,
      name: 'stock',
      handlers: [implementation],
    })
    assert.deepEqual(natsPermissionsOf(s.service.natsAccess), natsPermissionsOf(stockAccess))
    const heard: string[] = []
    const f = await serve({
      ...patient,
      name: 'front',
      calls: [calls],
      handlers: [on(taken, { name: 'list', effect: 'idempotent' }, ({ data }) => void heard.push(data.id))],
    })
    assert.equal(await f.nats.client(stock).take(), 'taken')
    await createPublisher(s.nats, 'stock').publish(taken, { id: 'a' })
    await until('it is heard', () => heard.length > 0)
    assert.deepEqual([(await s.service.health()).ready, (await f.service.health()).ready], [true, true])
    assert.deepEqual([...s.log.at('error'), ...f.log.at('error')], [])
    await Promise.all([f.service.stop(), s.service.stop()])
    assert.deepEqual(heard, ['a'])
  })

  test('an event that is handled but not permitted fails the start, naming the missing line, whether or not the server describes permissions', async () => {
    for (const name of ['poor', 'old']) {
      const { service, log } = build({ ...patient, name, handlers: consuming })
      await assert.rejects(
        service.start(),
        startError(
          new RegExp(
            `^NATS user "${name}" may not .*subscribe "goods.taken" .an event that it handles.. .*natsPermissionsOf.service.natsAccess`,
          ),
        ),
      )
      assert.ok(!log.lines.some(({ message }) => message === `${name} is ready`))
      // One line for each subject, without a stack trace of the client library.
      assert.ok(log.at('error').every(({ fields }) => fields.err === undefined))
    }
  })

  test('serving under another service’s name fails the start', async () => {
    const nats = network.client('poor')
    const { service } = build({ startTimeoutMs: 600_000, nats, name: 'stock', handlers: [implementation] })
    await assert.rejects(
      service.start(),
      startError(
        /^NATS user "poor" may not .*subscribe "stock.take" .served: the user must be that of service "stock"/,
      ),
    )
  })

  test('calls and events that the server does not permit yet fail the start', async () => {
    const { service } = build({ ...patient, name: 'poor', publishes: [onlyEvents], calls: [calls] })
    await assert.rejects(
      service.start(),
      startError(/publish "stock.take" .*publish "goods.taken" .*natsPermissionsOf/),
    )
  })

  test('handlers that may take longer than their permission to answer fail the start', async () => {
    const { service } = build({ ...patient, name: 'stock', handlerTimeoutMs: 200_000, handlers: [implementation] })
    await assert.rejects(
      service.start(),
      startError(/answer "stock.take" after 120 s, while it may take 200 s .allow_responses/),
    )
    assert.equal(natsPermissionsOf(service.natsAccess).responses?.expiresSeconds, 230)
  })

  test('a permission to answer that expires before the handler’s time fails the start', async () => {
    const { service } = build({ ...patient, name: 'hasty', endpoints: group => group.addEndpoint('x', () => 1) })
    await assert.rejects(service.start(), startError(/answer "hasty.x" after 5 s, while it may take 10 s/))
  })

  test('a user that the server does not know fails the start at once, by name', async () => {
    const { service } = build({ ...patient, name: 'stranger' })
    await assert.rejects(
      service.start(),
      startError(/^nats cannot be used: NATS refuses user "stranger": Authorization Viol/),
    )
  })

  test('a call that the module does not list is our mistake, not a temporary failure: 500, and the log says what to do', async () => {
    const made: TestService = await serve({
      ...patient,
      name: 'poor',
      handlers: [implement(front, { ask: () => made.nats.client(stock).take() })],
    })
    for (let round = 0; round < 3; round++) {
      const answer = await made.service.inject({ method: 'GET', url: '/ask' })
      assert.deepEqual([answer.statusCode, answer.json<{ error: string }>().error], [500, 'INTERNAL'])
    }
    const told = made.log.at('error').map(({ fields }) => String((fields.err as Error | undefined)?.message))
    assert.deepEqual(
      told,
      Array(3).fill(
        'service poor does not say that it calls "stock.take": add the contract with it to `calls` of its module',
      ),
    )
    await assert.rejects(createPublisher(made.nats, 'poor').publish(taken, { id: 'a' }), (error: Error) => {
      assert.ok(error instanceof NOT_PERMITTED)
      assert.match(
        error.message,
        /^service poor does not say that it announces "goods.taken": .*`publishes` of its module$/,
      )
      return true
    })
    await made.service.stop()
  })

  test('a client of a contract that the module does not list fails before the start', async () => {
    const nats = network.client('front')
    nats.client(stock)
    assert.throws(
      () => build({ ...patient, nats, name: 'front' }),
      startError(/^service front has a client for stock.take, stock.count: add its contract to `calls` of its module$/),
    )
    build({ ...patient, nats, name: 'front', calls: [calls] })
  })

  test('a call that the server does not permit fails alike, alone and in a batch', async () => {
    const client = network.client('poor')
    await client.connect()
    const together = await Promise.allSettled(Array.from({ length: 5 }, () => client.client(stock).take()))
    for (const each of together) {
      assert.ok(each.status === 'rejected' && each.reason instanceof NOT_PERMITTED)
      assert.match(each.reason.message, /^NATS user "poor" may not call "stock.take": .*`calls` of its module/)
    }
    await client.close()
  })

  test('publishing an event that is not permitted fails', async () => {
    const client = network.client('poor')
    await client.connect()
    await assert.rejects(createPublisher(client, 'poor').publish(taken, { id: 'a' }), (error: Error) => {
      assert.ok(error instanceof NOT_PERMITTED)
      assert.match(error.message, /^NATS user "poor" may not publish "goods.taken": .*`publishes` of its module/)
      return true
    })
    await client.close()
  })

  test('a client that may not receive replies says so instead of waiting for them', async () => {
    const client = network.client('listener')
    await client.connect()
    await assert.rejects(client.client(stock).take(), NOT_PERMITTED)
    await assert.rejects(client.client(stock).take(), NOT_PERMITTED)
    await client.close()
    const heard: string[] = []
    const made = await serve({
      ...patient,
      name: 'listener',
      handlers: [on(taken, { everyInstance: true }, ({ data }) => void heard.push(data.id))],
    })
    assert.equal((await made.service.health()).ready, true)
    await made.service.stop()
  })

  test('a service that calls others and may not receive their answers does not start', async () => {
    const { service } = build({ ...patient, name: 'deaf', calls: [calls] })
    await assert.rejects(
      service.start(),
      startError(/^NATS user "deaf" may not .*subscribe "_INBOX_deaf.>" .where the answers to its calls arrive/),
    )
  })
}
