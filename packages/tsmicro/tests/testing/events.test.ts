import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Module, type NatsClient, on, SERVICE_UNAVAILABLE, VALIDATION_FAILED } from 'tsmicro'
import { event } from 'tsmicro/contract'
import { type TestApp, testService } from 'tsmicro/testing'
import Type from 'typebox'
import { MemoryInbox } from '../events/memory-inbox.ts'
import { createModule, delivered, fakes, shop } from './shop.ts'

let app: TestApp
before(async () => {
  app = await testService(createModule, { fakes })
})
after(() => app.close())

const strange = event({ subject: 'item.lost', aggregate: 'name', data: Type.Object({ name: Type.String() }) })

test('a published event is available as soon as the call that published it is answered', async () => {
  await app.as({ id: 'ada' }).http(shop).buy({ name: 'soap' })
  const [bought, ...others] = app.events(shop.bought)
  assert.deepEqual(bought?.data, { name: 'soap', by: 'ada' })
  assert.deepEqual([bought?.source, bought?.aggregateId, others], ['shop', 'soap', []])
})

test('events are returned one after another, even those still to come', async () => {
  const before = app.events(shop.bought).length
  for (let count = 0; count < before; count++) await app.nextEvent(shop.bought)
  const next = app.nextEvent(shop.bought)
  await app.as({ id: 'bob' }).nats(shop).buy({ name: 'rope' })
  await app.as({ id: 'eve' }).nats(shop).buy({ name: 'glue' })
  assert.equal((await next).data.by, 'bob')
  assert.equal((await app.nextEvent(shop.bought)).data.by, 'eve')
  await assert.rejects(app.nextEvent(shop.bought, { timeoutMs: 1 }), /^Error: no item.bought within 0.001 s$/)
})

test('an event of another service is handled when publish resolves, and everything that follows when settled does', async () => {
  await app.settled()
  const count = await app.http(shop).count()
  await app.publish(delivered, { name: 'soap' })
  assert.ok((await app.http(shop).count()) > count)
  await app.settled()
  assert.equal(await app.http(shop).count(), count + 2)
  assert.equal((await app.nextEvent(shop.bought)).data.by, 'the shop')
})

test('what handlers throw reaches the test', async () => {
  await assert.rejects(app.publish(delivered, { name: 'broken' }), (error: AggregateError) => {
    assert.deepEqual(
      error.errors.map(({ message }) => message),
      ['it arrived in pieces', 'nobody can be told'],
    )
    return true
  })
  // It was reported.
  await app.settled()
})

test('an event for every instance is handled when publish resolves, and what its handlers throw reaches the test', async () => {
  const seen: string[] = []
  const handlers = [
    on(delivered, { everyInstance: true }, ({ data }) => void seen.push(data.name)),
    on(delivered, { everyInstance: true }, async ({ data: { name } }) => {
      if (name === 'broken') throw new Error('it arrived in pieces')
      seen.push(name)
    }),
  ]
  await using own = await testService(({ nats }) => ({ nats, handlers }))
  await own.publish(delivered, { name: 'soap' })
  assert.deepEqual(seen, ['soap', 'soap'])
  await assert.rejects(own.publish(delivered, { name: 'broken' }), /it arrived in pieces/)
})

/** A module with one handler of `delivered`. */
const handling =
  (handle: (name: string, event: object) => unknown, more: Omit<Module, 'nats' | 'handlers'> = {}) =>
  ({ nats }: { nats: NatsClient }): Module => ({
    nats,
    ...more,
    handlers: [
      on(
        delivered,
        { name: 'own', effect: more.inboxes ? 'postgres' : 'idempotent', tries: 3 },
        async event => void (await handle(event.data.name, event)),
      ),
    ],
  })

test('a failing handler gets all of its tries before publish rejects; its aggregate waits behind it', async () => {
  const tries: string[] = []
  let works = 3
  await using own = await testService(
    handling(name => {
      tries.push(name)
      if (name === 'soap' && tries.length < works) throw new Error(`try ${tries.length}`)
    }),
  )
  await own.publish(delivered, { name: 'soap' })
  assert.equal(tries.length, 3)
  tries.length = 0
  works = 100
  await assert.rejects(own.publish(delivered, { name: 'soap' }), /^Error: try 3$/)
  await own.publish(delivered, { name: 'rope' })
  await assert.rejects(own.publish(delivered, { name: 'soap' }), /kept behind an event that failed/)
  assert.deepEqual(tries, ['soap', 'soap', 'soap', 'rope'])
  await own.settled()
})

test('what a handler needs does not work: publish rejects at once, and the event is handled when it works again', async () => {
  const handled: string[] = []
  let down = true
  await using own = await testService(
    handling(name => {
      if (down) throw new SERVICE_UNAVAILABLE()
      handled.push(name)
    }),
  )
  await assert.rejects(own.publish(delivered, { name: 'soap' }), SERVICE_UNAVAILABLE)
  await assert.rejects(own.settled(), SERVICE_UNAVAILABLE)
  down = false
  // It may be in the middle of a try.
  await own.settled().catch(() => own.settled())
  assert.deepEqual(handled, ['soap'])
})

test('an event that is published twice is handled twice if that makes no difference, and once if it is recorded', async () => {
  const ids: string[] = []
  await using own = await testService(handling(name => void ids.push(name)))
  for (let times = 0; times < 2; times++) await own.publish(delivered, { name: 'soap' }, { id: 'e-1' })
  assert.deepEqual(ids, ['soap', 'soap'])

  const inbox = new MemoryInbox()
  await using recording = await testService(handling((_, event) => inbox.record(event, 1), { inboxes: [inbox] }))
  for (let times = 0; times < 2; times++)
    await recording.publish(delivered, { name: 'soap' }, { id: 'e-1', sequence: 1 })
  assert.deepEqual(inbox.of('soap'), [1])
})

test('an event that comes too early is handled behind those before it', async () => {
  const inbox = new MemoryInbox()
  await using own = await testService(
    handling((_, event) => inbox.record(event, (event as { aggregateSequence: number }).aggregateSequence), {
      inboxes: [inbox],
    }),
  )
  const early = own.publish(delivered, { name: 'soap' }, { sequence: 2 })
  await own.publish(delivered, { name: 'soap' }, { sequence: 1 })
  await early
  assert.deepEqual(inbox.of('soap'), [1, 2])
})

test('events outlive a lost connection; publishing without one fails', async () => {
  const handled: string[] = []
  const [begun, hold] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await using own = await testService(
    handling(async name => {
      begun.resolve()
      await hold.promise
      handled.push(name)
    }),
  )
  const publishing = own.publish(delivered, { name: 'soap' })
  await begun.promise
  await own.loopback.disconnect()
  await assert.rejects(own.publish(delivered, { name: 'rope' }), SERVICE_UNAVAILABLE)
  await own.loopback.reconnect()
  hold.resolve()
  await publishing
  await own.publish(delivered, { name: 'glue' })
  await own.settled()
  assert.deepEqual(new Set(handled), new Set(['soap', 'glue']))
})

test('what waits for a handler ends with the service', async () => {
  const own = await testService(
    handling(() => new Promise(() => {})),
    { drainTimeoutMs: 10 },
  )
  const publishing = assert.rejects(own.publish(delivered, { name: 'soap' }), /has stopped/)
  await own.close()
  await publishing
})

test('events that do not match their schema, or that nobody handles, are refused', async () => {
  await assert.rejects(app.publish(delivered, { name: 's' }), VALIDATION_FAILED)
  await assert.rejects(app.publish(strange, { name: 'soap' }), /shop does not handle item.lost: .* no on\(\) for it$/)
  assert.throws(() => app.events(strange), /shop does not announce item.lost: name its contract in `publishes`/)
  await assert.rejects(app.nextEvent(strange), /shop does not announce item.lost/)
})

test('waiting for events of a stopped service ends', async () => {
  const other = await testService(createModule, { fakes })
  const waiting = assert.rejects(other.nextEvent(shop.bought), /shop has stopped: no more events come/)
  await other.close()
  await waiting
})
