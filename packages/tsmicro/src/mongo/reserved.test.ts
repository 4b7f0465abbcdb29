import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import type { Document } from 'mongodb'
import { PATIENT_MONGO } from '../../tests/support/patient-mongo.ts'
import { createMongo } from './index.ts'

interface Thing extends Document {
  _id: string
  n: number
  title?: string
}

const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const mongo = createMongo({ url: server.url, database: `reserved_${randomUUID().slice(0, 8)}`, ...PATIENT_MONGO })
await mongo.connect()
after(async () => {
  await mongo.db.dropDatabase()
  await mongo.close()
  await server.stop()
})

let made = 0
/** Documents as they are when events wait and have been handled. */
async function things(options: { readonly aggregate?: string } = {}) {
  const name = `things${++made}`
  const builder = mongo.collection<Thing>(name, { indexes: [{ key: { title: 'text' } }], ...options })
  await builder.ensureIndexes()
  const stored = mongo.db.collection<Thing>(name)
  const held = { _outbox: { pending: [{ id: 'e' }], waiting: true }, _inbox: { mark: 1 } }
  await stored.insertMany([
    { _id: 'a', n: 1, title: 'one word', ...held },
    { _id: 'b', n: 2, ...held },
  ])
  return { name, builder, stored, held }
}
const shownOf = (found: unknown) => JSON.stringify(found).replaceAll('"things', '')

test('no read shows what a document holds of events', async () => {
  const { name, builder } = await things()
  const joined = { from: name, localField: 'n', foreignField: 'n', as: 'same' }
  const nested = { from: name, pipeline: [{ $match: { n: 1 } }, { $set: { whole: '$$ROOT' } }], as: 'all' }
  const pipelines: Document[][] = [
    [],
    [{ $match: { n: 1 } }, { $sort: { n: 1 } }, { $limit: 1 }],
    [{ $set: { whole: '$$ROOT' } }],
    [{ $group: { _id: null, all: { $push: '$$ROOT' } } }],
    [{ $lookup: joined }],
    [{ $lookup: nested }, { $unwind: '$all' }],
    [{ $unionWith: name }],
    [{ $unionWith: { coll: name, pipeline: [{ $match: { n: 2 } }] } }],
    [{ $facet: { one: [{ $lookup: joined }], two: [{ $unionWith: name }] } }],
    [{ $match: { $text: { $search: 'word' } } }, { $sort: { score: { $meta: 'textScore' } } }, { $limit: 1 }],
  ]
  const upsert = { upsert: true } as const
  const reads: Promise<unknown>[] = [
    builder.find({}),
    builder.find({}, { select: ['n'] }),
    builder.findOne({ _id: 'a' }),
    builder.findPaginated({ filter: {}, page: 1, limit: 5 }),
    builder.findOneAndUpdate({ _id: 'a' }, { $set: { n: 1 } }),
    builder.findOneAndUpdate({ _id: 'a' }, { $set: { n: 1 } }, { returnDocument: 'before', ...upsert }),
    builder.findOneAndUpdate({ _id: 'a' }, [{ $set: { n: { $add: ['$n', 0] } } }]),
    ...pipelines.map(pipeline => builder.aggregate(pipeline)),
    builder.run(all => all.find().toArray()),
    builder.run(all => all.find({}, { projection: { title: 0 } }).toArray()),
    builder.run(all => all.find({}).project({ title: 0 }).sort({ n: 1 }).toArray()),
    builder.run(all => all.findOne()),
    builder.run(all => all.findOneAndUpdate({ _id: 'b' }, { $set: { n: 2 } })),
    builder.run(all => all.findOneAndUpdate({ _id: 'b' }, { $set: { n: 2 } }, { includeResultMetadata: true })),
    builder.run(all => all.aggregate([{ $match: { n: 2 } }]).toArray()),
    builder.collection.find().toArray(),
  ]
  for (const [index, read] of reads.entries()) {
    const shown = shownOf(await read)
    assert.match(shown, /"_id"/, `read ${index}`)
    assert.doesNotMatch(shown, /_outbox|_inbox/, `read ${index}`)
  }
  assert.deepEqual(await builder.run(all => all.find({}, { projection: { _id: 1 } }).toArray()), [
    { _id: 'a' },
    { _id: 'b' },
  ])
  const [matching] = await builder.aggregate([{ $match: { $text: { $search: 'word' } } }, { $project: { n: 1 } }])
  assert.deepEqual(matching, { _id: 'a', n: 1 })
})

test('filters, updates, documents and selections that name a reserved field are refused', async () => {
  const { builder, stored } = await things()
  const untyped = (document: Document) => document as never
  const refused: (() => unknown)[] = [
    () => builder.find({ _outbox: null }),
    () => builder.findOne({ '_outbox.waiting': true }),
    () => builder.count({ $and: [{ n: 1 }, { $or: [{ '_inbox.x': 1 }] }] }),
    () => builder.find({ $expr: { $gt: ['$_outbox.bytes', 1] } }),
    () => builder.find({ $expr: { $gt: ['$$ROOT._outbox.bytes', 1] } }),
    () => builder.find({}, { select: untyped(['_outbox']) }),
    () => builder.aggregate([{ $match: { '_outbox.waiting': true } }]),
    () => builder.aggregate([{ $sort: { '_outbox.bytes': 1 } }]),
    () => builder.updateOne({ '_outbox.waiting': true }, { $set: { n: 1 } }),
    () => builder.updateOne({ _id: 'a' }, { $set: { _outbox: 1 } }),
    () => builder.updateOne({ _id: 'a' }, { $unset: { '_outbox.pending': '' } }),
    () => builder.updateOne({ _id: 'a' }, { $rename: { _inbox: 'inbox' } }),
    () => builder.updateOne({ _id: 'a' }, { $rename: { title: '_inbox' } }),
    () => builder.updateOne({ _id: 'a' }, [{ $set: { '_outbox.bytes': 0 } }]),
    () => builder.updateOne({ _id: 'a' }, [{ $unset: '_outbox' }]),
    () => builder.updateOne({ _id: 'a' }, [{ $unset: ['title', '_inbox'] }]),
    () => builder.updateOne({ _id: 'a' }, [{ $set: { n: { $size: '$_outbox.pending' } } }]),
    () => builder.updateOne({ _id: 'a' }, [{ $replaceWith: { _outbox: {} } }]),
    () => builder.updateOne({ _id: 'a' }, [{ $project: { _outbox: 0 } }]),
    () => builder.findOneAndUpdate({ _inbox: null }, { $set: { n: 1 } }),
    () => builder.findOneAndUpdate({ _id: 'a' }, { $push: untyped({ '_outbox.pending': 1 }) }),
    () => builder.deleteOne({ _inbox: { $exists: true } }),
    () => builder.insertOne({ _id: 'c', n: 3, _outbox: {} }),
    () => builder.insertOne({ _id: 'c', n: 3, _inbox: 1 }),
  ]
  const before = await stored.find().toArray()
  for (const attempt of refused)
    await assert.rejects(async () => attempt(), /the field _(out|in)box is reserved for events/, String(attempt))
  assert.deepEqual(await stored.find().toArray(), before)
})

test('values may be spelled like reserved fields', async () => {
  const { builder } = await things()
  const title = '$_outbox.bytes'
  await builder.updateOne({ _id: 'a' }, { $set: { title, meta: { _outbox: 1 } } })
  assert.equal((await builder.findOne({ title }))?.meta._outbox, 1)
  await builder.updateOne({ _id: 'b' }, [{ $set: { title: { $literal: title } } }])
  assert.equal(await builder.count({ title }), 2)
})

test('an update that makes a new document of an old one keeps what it holds of events', async () => {
  const { builder, stored, held } = await things()
  const updates: Document[][] = [
    [{ $replaceWith: { n: '$n' } }],
    [{ $replaceRoot: { newRoot: { n: 5, title: 'new' } } }],
    [{ $set: { inner: { n: 6 } } }, { $replaceWith: '$inner' }],
    [{ $project: { n: 1 } }],
    [{ $project: { n: { $add: ['$n', 1] } } }],
    [{ $project: { title: 0 } }],
  ]
  for (const update of updates) {
    await builder.updateOne({ _id: 'a' }, update)
    const { _outbox, _inbox }: Document = (await stored.findOne({ _id: 'a' })) ?? {}
    assert.deepEqual({ _outbox, _inbox }, held, JSON.stringify(update))
  }
  assert.deepEqual(await builder.findOne({ _id: 'a' }), { _id: 'a', n: 7 })
  await builder.updateOne({ _id: 'new' }, [{ $replaceWith: { n: 1 } }], { upsert: true })
  assert.deepEqual(await stored.findOne({ _id: 'new' }), { _id: 'new', n: 1 })
})

test('aggregates are neither deleted nor replaced, by no way', async () => {
  const { builder, stored } = await things({ aggregate: `type${made}` })
  const refused: (() => Promise<unknown>)[] = [
    () => builder.deleteOne({ _id: 'a' }),
    () => builder.run(all => all.deleteOne({ _id: 'a' })),
    () => builder.run(all => all.deleteMany({})),
    () => builder.run(all => all.findOneAndDelete({ _id: 'a' })),
    () => builder.run(all => all.replaceOne({ _id: 'a' }, { n: 1 })),
    () => builder.run(all => all.findOneAndReplace({ _id: 'a' }, { n: 1 })),
    () => builder.run(all => all.bulkWrite([{ replaceOne: { filter: { _id: 'a' }, replacement: { n: 1 } } }])),
    () => builder.run(all => all.bulkWrite([{ deleteMany: { filter: {} } }])),
  ]
  for (const attempt of refused) await assert.rejects(attempt, /would lose events of things\d+: use an update/)
  await builder.run(all => all.bulkWrite([{ updateOne: { filter: { _id: 'a' }, update: { $set: { n: 9 } } } }]))
  assert.equal((await stored.findOne({ _id: 'a' }))?.n, 9)
  assert.equal(await stored.countDocuments({ '_outbox.waiting': true }), 2)
})

test('a type of aggregates has one collection, and a collection one type', () => {
  mongo.collection('kind', { aggregate: 'kind' })
  mongo.collection('kind', { aggregate: 'kind' })
  assert.throws(() => mongo.collection('other', { aggregate: 'kind' }), /each type has one collection/)
  assert.throws(() => mongo.collection('kind', { aggregate: 'other' }), /each type has one collection/)
})
