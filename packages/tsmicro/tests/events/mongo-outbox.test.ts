import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import type { Document } from 'mongodb'
import { open, type Thing } from './mongo-setting.ts'
import { sentDespiteKills } from './outbox-killed.ts'
import { outboxSuite, storedEvent, TestStream } from './outbox-suite.ts'

const inFull = Boolean(process.env.CI)

outboxSuite(() => open())

test('documents with waiting events are found by an index', async () => {
  const { mongo, stored } = await open()
  assert.deepEqual(
    (await stored.listIndexes().toArray()).map(({ key, sparse }) => [key, sparse]),
    [
      [{ _id: 1 }, undefined],
      [{ '_outbox.waiting': 1 }, true],
    ],
  )
  const kept = await mongo.db.collection('outboxEvents').listIndexes().toArray()
  assert.equal(kept.length, 4)
})

test('a relay that was paused for too long changes nothing, and its successor sends everything', async () => {
  const outbox = await open()
  const { mongo, commit, store } = outbox
  const id = randomUUID()
  await commit([storedEvent(id)])
  const stream = new TestStream()
  const paused = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const late = store.relay(async events => {
    begun.resolve()
    await paused.promise
    return events.map((_, index) => 1000 + index)
  }, 10)
  await begun.promise
  assert.equal(await (await open()).store.relay(stream.send, 10), 'busy')
  // As if it had not been renewed for so long.
  await mongo.db.collection<Thing>('outbox').updateOne({ _id: 'relay' }, { $set: { until: new Date(0) } })
  await stream.drain(await open())
  assert.deepEqual(stream.numbers(id), [1])
  paused.resolve()
  assert.equal(await late, 0)
  const kept = await mongo.db.collection('outboxEvents').find({ aggregateId: id }).toArray()
  assert.deepEqual(
    kept.map(each => each.stream),
    [stream.accepted.findIndex(each => each.aggregateId === id) + 1],
  )
})

test('a relay whose process was frozen knows that it may have lost its turn', {
  skip: inFull ? false : 'CI=true npm test runs it',
}, async () => {
  const { commit, store } = await open()
  await commit([storedEvent(randomUUID())])
  const seen: boolean[] = []
  await store.relay(async (events, lasts) => {
    seen.push(lasts())
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5100)
    seen.push(lasts())
    return events.map(() => undefined)
  }, 10)
  assert.deepEqual(seen, [true, false])
})

test('events that a late relay has recorded for a stream that is gone are sent again', async () => {
  const outbox = await open()
  const { mongo, commit, store } = outbox
  const [id, type] = [randomUUID(), `t${randomUUID()}`]
  await store.recordStream(type, { created: 'then', lastSequence: 0 })
  await commit([storedEvent(id, { type })])
  const stream = new TestStream()
  await stream.drain(outbox)
  await store.recordStream(type, { created: 'now', lastSequence: 0 }, { resendAfter: 0 })
  await stream.drain(outbox)
  assert.deepEqual(stream.numbers(id), [1, 1])
  // What it would write between the check of its turn and its end.
  await commit([storedEvent(id, { type })])
  const document: Document = (await mongo.db.collection<Thing>(`all_${type}`).findOne({ _id: id })) ?? {}
  const [{ id: _id, at: _, ...pending }] = document._outbox.pending
  const late = { ...pending, type, aggregateId: id, sequence: 2, first: 1, stream: 77, epoch: 0, sentAt: new Date() }
  await mongo.db.collection<Document>('outboxEvents').insertOne({ _id, ...late })
  await mongo.db.collection<Thing>(`all_${type}`).updateOne({ _id: id }, { $set: { _outbox: { base: 2 } } })
  await commit([storedEvent(id, { type })])
  await stream.drain(outbox)
  assert.deepEqual(stream.numbers(id), [1, 1, 2, 3])
})

test('a relay that dies between two of its steps sends again what it may have sent, with the same id and number', async () => {
  const outbox = await open()
  const { mongo, commit, store } = outbox
  const id = randomUUID()
  for (let n = 0; n < 3; n++) await commit([storedEvent(id)])
  const stream = new TestStream()
  const collection = mongo.db.collection<Thing>('all_thing')
  const before = await collection.findOne({ _id: id })
  await stream.drain(outbox)
  // As if it had died before they were taken out of the document.
  await collection.updateOne({ _id: id }, { $set: { _outbox: before?._outbox } })
  await commit([storedEvent(id)])
  await stream.drain(outbox)
  assert.deepEqual(stream.numbers(id), [1, 2, 3, 1, 2, 3, 4])
  const ids = stream.accepted.filter(({ aggregateId }) => aggregateId === id).map(each => each.id)
  assert.deepEqual(ids.slice(3, 6), ids.slice(0, 3))
  assert.equal(await mongo.db.collection('outboxEvents').countDocuments({ aggregateId: id }), 4)
  assert.deepEqual(await store.depth(), { pending: 0, oldestMs: 0 })
})

test('many and large events are sent a part at a time', async () => {
  const outbox = await open()
  const ids = Array.from({ length: 12 }, () => randomUUID())
  const large = JSON.stringify('x'.repeat(1_000_000))
  for (const id of ids) await outbox.commit([storedEvent(id, { data: large })])
  const stream = new TestStream()
  let most = 0
  const measure = (events: Parameters<typeof stream.send>[0]) => {
    most = Math.max(most, events.length)
    return stream.send(events)
  }
  assert.equal(await outbox.store.relay(measure, 1000), 12)
  assert.ok(most > 1 && most < 10, `${most} at a time`)
})

test('a part of a document is sent when there is more than the limit', async () => {
  const outbox = await open()
  const id = randomUUID()
  await outbox.commit(Array.from({ length: 30 }, () => storedEvent(id)))
  const stream = new TestStream()
  assert.equal(await outbox.store.relay(stream.send, 20), 20)
  await outbox.commit([storedEvent(id)])
  assert.equal(await outbox.store.relay(stream.send, 20), 11)
  assert.deepEqual(
    stream.numbers(id),
    Array.from({ length: 31 }, (_, n) => n + 1),
  )
})

test('the server is killed: what was committed is sent, what was not is not', async () => {
  const own = await startDocuments({ ephemeral: true })
  try {
    const outbox = await open({ url: own.url })
    const id = randomUUID()
    const sent = await sentDespiteKills(own, outbox, id, [20, 40])
    // The events and the changes are the same.
    assert.equal((await outbox.things.findOne({ _id: id }))?.n, sent)
  } finally {
    await own.stop()
  }
})
