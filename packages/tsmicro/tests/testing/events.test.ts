import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { on, VALIDATION_FAILED } from 'tsmicro'
import { event } from 'tsmicro/contract'
import { type TestApp, testService } from 'tsmicro/testing'
import Type from 'typebox'
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
