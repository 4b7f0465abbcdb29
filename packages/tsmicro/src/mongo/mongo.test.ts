import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import { ObjectId } from 'mongodb'
import { PATIENT_MONGO } from '../../tests/support/patient-mongo.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { createMongo, IndexError, isDuplicateKey, literal } from './index.ts'

interface Blog {
  _id: ObjectId
  slug: string
  title: string
  score: number
  tags: string[]
  publishedAt?: Date
}

const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const database = `suite_${randomUUID().slice(0, 8)}`
const mongo = createMongo({ url: server.url, database, applicationName: 'suite', ...PATIENT_MONGO })
await mongo.connect()
after(async () => {
  await mongo.db.dropDatabase()
  await mongo.close()
  await server.stop()
})

let collections = 0
const blogCollection = () =>
  mongo.collection<Blog>(`blogs${++collections}`, { indexes: [{ key: { slug: 1 }, unique: true }] })
const blog = (slug: string, more: Partial<Blog> = {}) => ({
  slug,
  title: `Title ${slug}`,
  score: 1,
  tags: ['A'],
  ...more,
})

test('inserts, finds, counts, changes and deletes', async () => {
  const blogs = blogCollection()
  const made = await blogs.insertOne(blog('a'))
  assert.ok(made._id instanceof ObjectId)
  assert.deepEqual(await blogs.findOne({ slug: 'a' }), made)
  assert.equal(await blogs.findOne({ slug: 'none' }), null)
  await blogs.insertOne(blog('b', { score: 5 }))
  assert.equal(await blogs.count({}), 2)
  assert.deepEqual(
    (await blogs.find({}, { sort: { score: -1 }, limit: 1 })).map(found => found.slug),
    ['b'],
  )
  assert.deepEqual(await blogs.updateOne({ slug: 'a' }, { $set: { score: 9 } }), {
    matched: 1,
    modified: 1,
    inserted: false,
  })
  assert.equal((await blogs.updateOne({ slug: 'c' }, { $set: blog('c') }, { upsert: true })).inserted, true)
  assert.equal(await blogs.deleteOne({ slug: 'c' }), true)
  assert.equal(await blogs.deleteOne({ slug: 'c' }), false)
  const totals = await blogs.aggregate<{ _id: null; total: number }>([
    { $group: { _id: null, total: { $sum: '$score' } } },
  ])
  assert.deepEqual(totals, [{ _id: null, total: 14 }])
  await mongo.check()
})

test('insertOne does not modify the given object', async () => {
  const blogs = blogCollection()
  const given = blog('a')
  await blogs.insertOne(given)
  assert.equal('_id' in given, false)
})

test('findOneAndUpdate returns the document after or before the change', async () => {
  const blogs = blogCollection()
  await blogs.insertOne(blog('a'))
  const later = await blogs.findOneAndUpdate({ slug: 'a' }, { $inc: { score: 1 } })
  assert.equal(later?.score, 2)
  const before = await blogs.findOneAndUpdate({ slug: 'a' }, { $inc: { score: 1 } }, { returnDocument: 'before' })
  assert.equal(before?.score, 2)
  const part = await blogs.findOneAndUpdate({ slug: 'a' }, { $inc: { score: 1 } }, { select: ['score'] })
  assert.deepEqual(Object.keys(part ?? {}).sort(), ['_id', 'score'])
  assert.equal(await blogs.findOneAndUpdate({ slug: 'none' }, { $inc: { score: 1 } }), null)
})

test('select returns these fields and _id', async () => {
  const blogs = blogCollection()
  const { _id } = await blogs.insertOne(blog('a'))
  assert.deepEqual(await blogs.findOne({ slug: 'a' }, { select: ['title', 'publishedAt'] }), { _id, title: 'Title a' })
})

test('a duplicate key is recognisable by index and by field', async () => {
  const blogs = blogCollection()
  await blogs.ensureIndexes()
  await blogs.insertOne(blog('a'))
  const second = await blogs.insertOne(blog('a')).catch((error: unknown) => error)
  assert.ok(isDuplicateKey(second))
  assert.ok(isDuplicateKey(second, 'slug'))
  assert.ok(isDuplicateKey(second, 'slug_1'))
  assert.ok(!isDuplicateKey(second, 'title'))
  assert.ok(!isDuplicateKey(new Error('x')))
  await blogs.insertOne(blog('b'))
  await assert.rejects(blogs.updateOne({ slug: 'b' }, { $set: { slug: 'a' } }), error => isDuplicateKey(error, 'slug'))
})

test('of many writers of one key, exactly one wins', async () => {
  const blogs = blogCollection()
  await blogs.ensureIndexes()
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => blogs.insertOne(blog('same'))))
  assert.equal(results.filter(result => result.status === 'fulfilled').length, 1)
  for (const result of results) if (result.status === 'rejected') assert.ok(isDuplicateKey(result.reason, 'slug'))
})

test('indexes are created once, even by several instances at the same time', async () => {
  const name = `indexed${++collections}`
  const indexes = [
    { key: { slug: 1 }, unique: true },
    { key: { score: -1, _id: -1 } },
    { name: 'words', key: { title: 'text', slug: 'text' }, weights: { title: 3 } },
    { key: { publishedAt: 1 }, expireAfterSeconds: 3600, sparse: true },
  ] as const
  await Promise.all(Array.from({ length: 5 }, () => mongo.collection<Blog>(name, { indexes }).ensureIndexes()))
  const again = await mongo.collection<Blog>(name, { indexes }).ensureIndexes()
  assert.deepEqual(again, { created: [] })
  const names = (await mongo.db.collection(name).listIndexes().toArray()).map(index => index.name).sort()
  assert.deepEqual(names, ['_id_', 'publishedAt_1', 'score_-1__id_-1', 'slug_1', 'words'])
})

test('an index that is different, or cannot be unique, is a typed error', async () => {
  const name = `conflict${++collections}`
  await mongo.collection<Blog>(name, { indexes: [{ key: { slug: 1 } }] }).ensureIndexes()
  const changed = mongo.collection<Blog>(name, { indexes: [{ key: { slug: 1 }, unique: true }] })
  await assert.rejects(changed.ensureIndexes(), { name: 'IndexError', reason: 'conflict', index: 'slug_1' })
  const renamed = mongo.collection<Blog>(name, { indexes: [{ name: 'other', key: { slug: 1 }, unique: true }] })
  const outcome = await renamed.ensureIndexes().catch((error: unknown) => error)
  // MongoDB allows it since 5.0 when the options differ, and refuses it when they do not
  if (outcome instanceof Error) assert.ok(outcome instanceof IndexError)
  const doubles = mongo.collection<Blog>(`doubles${++collections}`, { indexes: [{ key: { title: 1 }, unique: true }] })
  await doubles.insertOne(blog('a', { title: 'same' }))
  await doubles.insertOne(blog('b', { title: 'same' }))
  await assert.rejects(doubles.ensureIndexes(), { name: 'IndexError', reason: 'duplicates', index: 'title_1' })
})

test('filters cannot run programs, and values from outside cannot be operators', async () => {
  const blogs = blogCollection()
  await assert.rejects(async () => blogs.find({ $where: 'sleep(1000)' }), TypeError)
  await assert.rejects(async () => blogs.count({ $and: [{ $expr: { $function: { body: 'x' } } }] }), TypeError)
  const hostile: unknown = JSON.parse('{"$ne": null}')
  assert.throws(() => literal(hostile), TypeError)
  assert.throws(() => literal(['a']), TypeError)
  for (const plain of ['a', 1, true, null, undefined, new Date(), new ObjectId()]) assert.equal(literal(plain), plain)
})

test('a read can be aborted', async () => {
  const blogs = blogCollection()
  const signal = AbortSignal.abort(new Error('client left'))
  await assert.rejects(blogs.find({}, { signal }), /client left/)
  await assert.rejects(blogs.count({}, { signal }), /client left/)
  await assert.rejects(blogs.findOne({}, { signal }), /client left/)
})

test('a missing server is unavailable; closing is still possible', async () => {
  const nowhere = createMongo({ url: 'mongodb://127.0.0.1:1/x', serverSelectionTimeoutMs: 100 })
  await assert.rejects(nowhere.connect(), SERVICE_UNAVAILABLE)
  await assert.rejects(nowhere.check(), SERVICE_UNAVAILABLE)
  await assert.rejects(nowhere.collection('c').findOne({}), SERVICE_UNAVAILABLE)
  await nowhere.close()
  await nowhere.close()
  const closed = createMongo({ url: server.url })
  await closed.connect()
  await closed.close()
  await assert.rejects(closed.collection('c').findOne({}), SERVICE_UNAVAILABLE)
})
