import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPublisher, on, type ReceivedEvent, StartError } from 'tsmicro'
import { event, natsPermissionsOf } from 'tsmicro/contract'
import Type from 'typebox'
import { build, serve, type TestService } from '../support/service.ts'
import { roundTrip, until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const moved = event({
  subject: 'thing.moved',
  aggregate: 'id',
  data: Type.Object({ id: Type.String(), n: Type.Integer(), padding: Type.Optional(Type.String()) }),
})
type Moved = ReceivedEvent<typeof moved>
const contract = { moved }
const publishing = natsPermissionsOf({ service: 'mover', serves: [contract] })
const listening = natsPermissionsOf({ service: 'watcher', serves: [], consumes: [contract] })
const both = natsPermissionsOf({ service: 'watcher', serves: [], consumes: [contract], handles: { list: [contract] } })
const users = [publishing, both, natsPermissionsOf({ service: 'poor', serves: [] })]

/** Handlers of every instance: `on(event, { everyInstance: true }, handler)`. */
export async function everyInstance(open: OpenNetwork) {
  const network = await open(users)
  const mover = network.client('mover')
  await mover.connect()
  after(() => mover.close())
  await network.streams('mover', [contract])
  await network.streams('watcher', [], { list: [contract] })
  const { publish } = createPublisher(mover, 'mover')
  const watcher = async (...handlers: ((received: Moved) => void | Promise<void>)[]): Promise<TestService> => {
    const made = await serve({
      network,
      name: 'watcher',
      // Handlers that wait for the test have as long as a busy machine needs.
      handlerTimeoutMs: 600_000,
      handlers: handlers.map(handler => on(moved, { everyInstance: true }, handler)),
    })
    after(() => made.service.stop())
    return made
  }

  test('every instance gets every event once, in order, for each of its handlers', async () => {
    const taken: string[][] = [[], [], [], []]
    const take = (index: number) => async (received: Moved) =>
      void taken[index]?.push(`${received.data.n} ${received.id}`)
    const one = await watcher(take(0), take(1))
    const other = await watcher(take(2), take(3))
    const expected = Array.from({ length: 30 }, (_, n) => `${n} moved-${n}`)
    for (let n = 0; n < 30; n++) await publish(moved, { id: 'a', n }, { id: `moved-${n}` })
    await until('all handlers have them', () => taken.every(({ length }) => length >= 30))
    await Promise.all([roundTrip(one.nats), roundTrip(other.nats)])
    assert.deepEqual(taken, [expected, expected, expected, expected])
    await Promise.all([one, other].map(({ service }) => service.stop()))
  })

  test('beside a handler with a name: that one is run by one instance, this one by all', async () => {
    const named: number[] = []
    const all: number[] = []
    const instance = () =>
      serve({
        network,
        name: 'watcher',
        handlers: [
          on(moved, { name: 'list', effect: 'idempotent' }, ({ data }) => {
            if (data.id === 'both') named.push(data.n)
          }),
          on(moved, { everyInstance: true }, ({ data }) => void all.push(data.n)),
        ],
      })
    const instances = [await instance(), await instance(), await instance()]
    for (let n = 0; n < 10; n++) await publish(moved, { id: 'both', n })
    await until('all have them', () => all.length === 30 && named.length === 10)
    await Promise.all(instances.map(({ service }) => service.stop()))
    assert.equal(all.length, 30)
    assert.equal(named.length, 10)
  })

  test('its permission is the event’s subject: without it the service does not start, and the error says which', async () => {
    const handlers = [on(moved, { everyInstance: true }, () => {})]
    const { service } = build({ network, name: 'watcher', handlers })
    assert.deepEqual(natsPermissionsOf(service.natsAccess), listening)
    const poor = build({ network, name: 'poor', handlers, startTimeoutMs: 600_000 })
    await assert.rejects(poor.service.start(), (error: unknown) => {
      assert.ok(error instanceof StartError)
      assert.match(error.message, /^NATS user "poor" may not .*subscribe "thing.moved" .an event that it handles/)
      return true
    })
  })

  test('bad events and a handler that fails, throws nonsense or hangs are logged, and hold up nothing else', async () => {
    const good: number[] = []
    const others: number[] = []
    const { service, log } = await serve({
      network,
      name: 'watcher',
      handlerTimeoutMs: 200,
      handlers: [
        on(moved, { everyInstance: true }, ({ data: { n } }) => {
          if (n === 1) throw new Error('poison')
          if (n === 2) throw null
          if (n === 3) return new Promise<void>(() => {})
          good.push(n)
        }),
        on(moved, { everyInstance: true }, ({ data: { n } }) => void others.push(n)),
      ],
    })
    for (const body of ['', '{', '{"id":"a"}']) mover.use().publish(moved.subject, body)
    for (let n = 1; n <= 4; n++) await publish(moved, { id: 'a', n })
    await until('the one after them is handled', () => good.length === 1)
    await service.stop()
    assert.deepEqual([good, others], [[4], [1, 2, 3, 4]])
    const told = log.at('error')
    assert.equal(told.length, 2 * 3 + 3)
    for (const { fields } of told) assert.equal(fields.handler, 'every instance')
  })

  /** An instance with a handler that waits for the gate, and one that does not. */
  const slowBesideQuick = async () => {
    const gate = Promise.withResolvers<void>()
    const slow: number[] = []
    const quick: number[] = []
    const made = await watcher(
      async ({ data }) => {
        await gate.promise
        slow.push(data.n)
      },
      ({ data }) => void quick.push(data.n),
    )
    return { gate, slow, quick, made }
  }

  test('what a slow handler cannot take is dropped, counted and logged, and the others get everything', async () => {
    const { gate, slow, quick, made } = await slowBesideQuick()
    // More than the 1,024 that may wait.
    const count = process.env.CI ? 3000 : 1200
    for (let n = 0; n < count; n++) await publish(moved, { id: 'a', n })
    await until('the quick one has all', () => quick.length === count)
    gate.resolve()
    await until('the slow one has what waited', () => slow.length >= 1024)
    await made.service.stop()
    assert.deepEqual(
      slow,
      Array.from({ length: 1024 }, (_, n) => n),
    )
    const told = made.log.at('warn').filter(({ message }) => message.startsWith('events were dropped'))
    assert.equal(told.length, 1, 'not one line for each')
    assert.equal(told[0]?.fields.subject, moved.subject)
  })

  test('large events that wait are limited by their bytes', async () => {
    const { gate, slow, quick, made } = await slowBesideQuick()
    const padding = 'x'.repeat(900_000)
    for (let n = 0; n < 25; n++) await publish(moved, { id: 'a', n, padding })
    await until('the quick one has all', () => quick.length === 25)
    gate.resolve()
    const kept = Math.floor((16 * 1024 * 1024) / Buffer.byteLength(JSON.stringify({ id: 'a', n: 0, padding })))
    await until('the slow one has what waited', () => slow.length >= kept)
    await made.service.stop()
    // The first one is handled, and may have stopped waiting before the others came.
    assert.ok([kept, kept + 1].includes(slow.length), `${slow.length} events`)
  })

  test('a stop waits for the handlers that run, not for what waits for them', async () => {
    const began = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const done: number[] = []
    const made = await watcher(async ({ data }) => {
      began.resolve()
      await gate.promise
      done.push(data.n)
    })
    await publish(moved, { id: 'a', n: 1 })
    await publish(moved, { id: 'a', n: 2 })
    await began.promise
    await roundTrip(made.nats)
    const stopped = made.service.stop()
    setImmediate(() => gate.resolve())
    await stopped
    assert.deepEqual(done, [1])
  })

  test('what happens while an instance is away, it never learns; it hears again once it is back', async () => {
    const taken: number[] = []
    const { service, nats } = await watcher(({ data }) => void taken.push(data.n))
    await network.fail()
    await assert.rejects(async () => publish(moved, { id: 'a', n: 1 }))
    await network.recover()
    await until('the publisher is back', () =>
      publish(moved, { id: 'a', n: 2 }).then(
        () => true,
        () => false,
      ),
    )
    await roundTrip(nats)
    await until('the instance is back', async () => {
      await publish(moved, { id: 'a', n: 3 }).catch(() => {})
      return taken.includes(3)
    })
    assert.ok(!taken.includes(1))
    await service.stop()
  })
}
