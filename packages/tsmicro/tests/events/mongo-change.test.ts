import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Document, ObjectId } from 'mongodb'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { isDuplicateKey, type MongoChange } from 'tsmicro/mongo'
import type { StoredEvent } from '../../src/stores/index.ts'
import { open, type Thing } from './mongo-setting.ts'
import { storedEvent, TestStream } from './outbox-suite.ts'

test('every write keeps its events in the same step, and with the same result as without them', async () => {
  const outbox = await open()
  const { mongo, things, add } = outbox
  const drain = new TestStream()
  const write = async (id: string, write: (change: MongoChange) => Promise<unknown>) => {
    const result = await mongo.change(async change => {
      await add(change, [storedEvent(id), storedEvent(id)])
      return write(change)
    })
    await drain.drain(outbox)
    return result
  }
  const _id = randomUUID()
  assert.deepEqual(await write(_id, change => things.insertOne({ _id, n: 1 }, { change })), { _id, n: 1 })
  assert.deepEqual(await write(_id, change => things.updateOne({ _id }, { $inc: { n: 1 } }, { change })), {
    matched: 1,
    modified: 1,
    inserted: false,
  })
  await write(_id, change => things.updateOne({ _id, n: 2 }, { $set: { list: [1] }, $inc: { n: 1 } }, { change }))
  await write(_id, change => things.updateOne({ _id, list: 1 }, { $set: { 'list.$': 5 } as never }, { change }))
  await write(_id, change => things.updateOne({ _id }, [{ $set: { n: { $add: ['$n', 1] } } }], { change }))
  await write(_id, change => things.updateOne({ _id }, [{ $replaceWith: { n: '$n', list: '$list' } }], { change }))
  const after = await write(_id, change => things.findOneAndUpdate({ _id }, { $inc: { n: 1 } }, { change }))
  assert.deepEqual(after, { _id, n: 5, list: [5] })
  const before = await write(_id, change =>
    things.findOneAndUpdate({ _id }, [{ $set: { n: 0 } }], { change, returnDocument: 'before', select: ['n'] }),
  )
  assert.deepEqual(before, { _id, n: 5 })
  assert.deepEqual(
    drain.numbers(_id),
    Array.from({ length: 16 }, (_, n) => n + 1),
  )

  const fresh = randomUUID()
  const upserted = { matched: 0, modified: 0, inserted: true }
  const upsert = (id: string, update: Document | Document[]) =>
    write(id, change => things.updateOne({ _id: id }, update, { upsert: true, change }))
  assert.deepEqual(await upsert(fresh, { $set: { n: 1 }, $setOnInsert: { list: [] } }), upserted)
  assert.deepEqual(await things.findOne({ _id: fresh }), { _id: fresh, n: 1, list: [] })
  const computed = randomUUID()
  assert.deepEqual(await upsert(computed, [{ $set: { n: 1 } }]), upserted)
  const found = randomUUID()
  const options = { upsert: true, returnDocument: 'before' } as const
  const none = (change: MongoChange) =>
    things.findOneAndUpdate({ _id: found }, { $set: { n: 1 } }, { ...options, change })
  assert.equal(await write(found, none), null)
  for (const id of [fresh, computed, found]) assert.deepEqual(drain.numbers(id), [1, 2])
})

test('the aggregate is the changed document, which is named by its _id; other types of _id as well', async () => {
  const outbox = await open()
  const { mongo, things, add, store } = outbox
  const _id = randomUUID()
  await things.insertOne({ _id, n: 1 })
  const attempt = (event: StoredEvent, write: (change: MongoChange) => Promise<unknown>) =>
    mongo.change(async change => {
      await add(change, [event])
      await write(change)
    })
  const set = { $set: { n: 2 } }
  const refused: [RegExp, StoredEvent, (change: MongoChange) => Promise<unknown>][] = [
    [
      /the aggregate is the changed document/,
      storedEvent(randomUUID()),
      change => things.updateOne({ _id }, set, { change }),
    ],
    [
      /the aggregate is the changed document/,
      storedEvent(_id, { type: 'other' }),
      change => things.updateOne({ _id }, set, { change }),
    ],
    [/names the document by its _id/, storedEvent(_id), change => things.updateOne({ n: 1 }, set, { change })],
    [
      /names the document by its _id/,
      storedEvent(_id),
      change => things.updateOne({ _id: { $in: [_id] } }, set, { change }),
    ],
    [/names the document by its _id/, storedEvent(_id), change => things.findOneAndUpdate({}, set, { change })],
    [
      /mongo.collection\(name, { aggregate: 'blog' }\)/,
      storedEvent(_id),
      change => mongo.collection<Thing>('plain').updateOne({ _id }, set, { change }),
    ],
    [/give the change to the write/, storedEvent(_id), () => things.updateOne({ _id }, set)],
  ]
  for (const [message, event, write] of refused) await assert.rejects(attempt(event, write), message)
  await assert.rejects(
    mongo.change(async change => {
      await add(change, [storedEvent(_id), storedEvent('other')])
    }),
    /a change is about one document/,
  )
  await assert.rejects(
    attempt(storedEvent(_id), async change => {
      await things.updateOne({ _id }, set, { change })
      await things.updateOne({ _id }, set, { change })
    }),
    /written already/,
  )
  await assert.rejects(
    attempt(storedEvent(_id), async change => {
      await things.updateOne({ _id }, set, { change })
      await add(change, [storedEvent(_id)])
    }),
    /events are added before that/,
  )
  const kinds = [new ObjectId(), 17]
  for (const id of kinds) {
    const others = mongo.collection<Document & { _id: unknown; n: number }>(`kinds_${typeof id}`, {
      aggregate: `k${typeof id}`,
    })
    const event = storedEvent(String(id), { type: `k${typeof id}` })
    await attempt(event, change => others.insertOne({ _id: id, n: 1 }, { change }))
    const stream = new TestStream()
    await stream.drain(outbox)
    assert.deepEqual(stream.numbers(String(id)), [1])
    const next = { ...event, id: randomUUID() }
    await attempt(next, change => others.updateOne({ _id: id as never }, { $set: { n: 2 } }, { change }))
    assert.equal(await store.erase(event.type, String(id)), 'unsent')
    await stream.drain(outbox)
    const its = [event, next].map(sent => stream.accepted.findIndex(each => each.id === sent.id) + 1)
    assert.deepEqual([...(await store.erase(event.type, String(id)))].sort(), its.sort())
    await stream.drain(outbox)
    assert.deepEqual(stream.numbers(String(id)), [1, 2])
  }
})

test('100 events or 1 MB may wait in a document: a write with more changes nothing, one without events is not held up', async () => {
  const outbox = await open()
  const { mongo, things, add, commit, stored } = outbox
  const many = randomUUID()
  const some = (id: string, count: number, more: Partial<StoredEvent> = {}) =>
    Array.from({ length: count }, () => storedEvent(id, more))
  await commit(some(many, 99))
  await assert.rejects(commit(some(many, 2)), SERVICE_UNAVAILABLE)
  await commit(some(many, 1))
  const large = randomUUID()
  await commit(some(large, 4, { data: JSON.stringify('x'.repeat(250_000)) }))
  const writes: [string, (id: string, change: MongoChange) => Promise<unknown>][] = [
    ['operators', (_id, change) => things.updateOne({ _id }, { $inc: { n: 1 } }, { change })],
    ['pipeline', (_id, change) => things.updateOne({ _id }, [{ $set: { n: -1 } }], { change })],
    ['upsert', (_id, change) => things.updateOne({ _id }, { $inc: { n: 1 } }, { upsert: true, change })],
    ['found', (_id, change) => things.findOneAndUpdate({ _id }, { $inc: { n: 1 } }, { change, upsert: true })],
  ]
  for (const id of [many, large]) {
    const before = await stored.findOne({ _id: id })
    for (const [title, write] of writes)
      await assert.rejects(
        mongo.change(async change => {
          await add(change, some(id, 1, { data: JSON.stringify('x'.repeat(60_000)) }))
          await write(id, change)
        }),
        SERVICE_UNAVAILABLE,
        title,
      )
    assert.deepEqual(await stored.findOne({ _id: id }), before)
    assert.equal(await stored.countDocuments({ _id: id }), 1)
    assert.equal((await things.updateOne({ _id: id }, { $set: { n: 50 } })).modified, 1)
    // That another condition does not hold says nothing about room.
    const none = await mongo.change(async change => {
      await add(change, some(id, 1))
      return things.updateOne({ _id: id, n: 51 }, { $set: { n: 0 } }, { change })
    })
    assert.equal(none.matched, 0)
  }
  await assert.rejects(commit(some(many, 101)), RangeError)
  await assert.rejects(commit(some(many, 1, { data: 'x'.repeat(1024 * 1024) })), RangeError)
  const stream = new TestStream()
  await stream.drain(outbox)
  assert.equal(stream.numbers(many).length, 100)
  assert.equal(stream.numbers(large).length, 4)
  for (const id of [many, large]) await commit(some(id, 1))
  const { _outbox }: Document = (await stored.findOne({ _id: large })) ?? {}
  assert.equal(_outbox.pending.length, 1)
  assert.ok(_outbox.bytes < 1000)
})

test('a duplicate key keeps no events, and the change may be tried in another way', async () => {
  const outbox = await open()
  const { mongo, add } = outbox
  const slugs = mongo.collection<Thing>('slugs', { aggregate: 'slug', indexes: [{ key: { slug: 1 }, unique: true }] })
  await slugs.ensureIndexes()
  const [mine, other] = [randomUUID(), randomUUID()]
  await slugs.insertOne({ _id: other, slug: 'taken' })
  await mongo.change(async change => {
    await add(change, [storedEvent(mine, { type: 'slug' })])
    const taken = slugs.insertOne({ _id: mine, slug: 'taken' }, { change })
    await assert.rejects(taken, error => isDuplicateKey(error, 'slug'))
    await slugs.insertOne({ _id: mine, slug: 'free' }, { change })
  })
  await mongo.change(async change => {
    await add(change, [storedEvent(mine, { type: 'slug' })])
    const again = slugs.insertOne({ _id: mine, slug: 'free' }, { change })
    await assert.rejects(again, error => isDuplicateKey(error, '_id'))
  })
  const stream = new TestStream()
  await stream.drain(outbox)
  assert.deepEqual(stream.numbers(mine), [1])
})

test('of many upserts of the same document at the same time, all keep their events', async () => {
  const settings = await Promise.all([open(), open(), open()])
  const id = randomUUID()
  await Promise.all(Array.from({ length: 60 }, (_, n) => settings[n % 3]?.commit([storedEvent(id)])))
  const [outbox] = settings
  const stream = new TestStream()
  await stream.drain(outbox)
  assert.deepEqual(
    stream.numbers(id),
    Array.from({ length: 60 }, (_, n) => n + 1),
  )
  assert.equal((await outbox.things.findOne({ _id: id }))?.n, 60)
})
