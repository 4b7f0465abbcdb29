import assert from 'node:assert/strict'
import { type Document, MongoServerError } from 'mongodb'
import { type Cases, ids, refuses } from './case.ts'

export const indexCases: Cases = {
  subject: 'indexes',
  cases: {
    'a unique index refuses equal numbers of all types': async ({ collection }) => {
      await collection.createIndex({ email: 1 }, { unique: true })
      await collection.insertOne({ _id: 1, email: 'a' })
      const error = await refuses(11000, collection.insertOne({ _id: 2, email: 'a' }))
      assert.deepEqual([error.keyPattern, error.keyValue], [{ email: 1 }, { email: 'a' }])
      assert.match(error.message, /E11000 duplicate key error collection: .* index: email_1 dup key/)
      await collection.insertOne({ _id: 3, email: 'b' })
      await refuses(11000, collection.updateOne({ _id: 3 }, { $set: { email: 'a' } }))
      await refuses(11000, collection.findOneAndUpdate({ _id: 3 }, { $set: { email: 'a' } }))
      await collection.updateOne({ _id: 1 }, { $set: { email: 'c' } })
      await collection.insertOne({ _id: 4, email: 'a' })
      await collection.deleteOne({ _id: 4 })
      await collection.insertOne({ _id: 5, email: 'a' })
    },
    'a missing field counts as null in a unique index, and not at all in a sparse one': async ({ db, collection }) => {
      await collection.createIndex({ a: 1 }, { unique: true })
      await collection.insertOne({ _id: 1 })
      await refuses(11000, collection.insertOne({ _id: 2, a: null }))
      const sparse = db.collection(`${collection.collectionName}_sparse`)
      await sparse.createIndex({ a: 1 }, { unique: true, sparse: true })
      await sparse.insertMany([{}, {}, { a: null }])
      await refuses(11000, sparse.insertOne({ a: null }))
    },
    'a partial index takes comparisons, $exists: true, $type, $in, $and and $or': async ({ collection }) => {
      const create = (partialFilterExpression: Document) =>
        collection.createIndex({ a: 1 }, { partialFilterExpression })
      const refused = [
        ...[{ a: { $ne: 1 } }, { a: { $exists: false } }, { a: { $regex: 'x' } }, { a: /x/ }, { a: { $nin: [1] } }],
        ...[
          { $nor: [{ a: 1 }] },
          { $and: [{ a: { $mod: [2, 1] } }] },
          { a: { $not: { $gt: 1 } } },
          { a: { $size: 1 } },
        ],
      ]
      for (const filter of refused) await refuses(67, create(filter))
      await refuses(2, create({ a: { $nope: 1 } }))
      await refuses(224, create({ $expr: true }))
      await create({ $or: [{ a: { $exists: true, $type: 'int' } }, { b: { $in: [1, 2], $gte: 1 } }] })
    },
    'a partial unique index contains only matching documents': async ({ collection }) => {
      const partialFilterExpression = { status: 'active' }
      await collection.createIndex({ name: 1 }, { unique: true, partialFilterExpression })
      await collection.insertMany([
        { name: 'x', status: 'gone' },
        { name: 'x', status: 'gone' },
        { name: 'x', status: 'active' },
      ])
      await refuses(11000, collection.insertOne({ name: 'x', status: 'active' }))
      await refuses(11000, collection.updateMany({ status: 'gone' }, { $set: { status: 'active' } }))
    },
    'compound and dotted keys': async ({ collection }) => {
      await collection.createIndex({ 'u.id': 1, kind: -1 }, { unique: true })
      await collection.insertMany([
        { u: { id: 1 }, kind: 'a' },
        { u: { id: 1 }, kind: 'b' },
        { u: { id: 2 }, kind: 'a' },
      ])
      const error = await refuses(11000, collection.insertOne({ u: { id: 1 }, kind: 'b' }))
      assert.deepEqual(error.keyValue, { 'u.id': 1, kind: 'b' })
    },
    'array elements are unique across documents, not within one': async ({ collection }) => {
      await collection.createIndex({ tags: 1 }, { unique: true })
      await collection.insertOne({ _id: 1, tags: ['a', 'a', 'b'] })
      await refuses(11000, collection.insertOne({ _id: 2, tags: ['c', 'b'] }))
      await refuses(11000, collection.insertOne({ _id: 3, tags: 'a' }))
      await collection.insertOne({ _id: 4, tags: ['c'] })
      await collection.updateOne({ _id: 1 }, { $pull: { tags: 'b' } as Document })
      await collection.updateOne({ _id: 4 }, { $push: { tags: 'b' } as Document })
    },
    'documents in arrays are indexed, and two arrays are refused': async ({ collection }) => {
      await collection.createIndex({ 'm.id': 1, 'm.r': 1 }, { unique: true })
      await collection.insertOne({
        m: [
          { id: 1, r: 'x' },
          { id: 2, r: 'y' },
        ],
      })
      await collection.insertOne({ m: [{ id: 1, r: 'y' }] })
      await refuses(11000, collection.insertOne({ m: [{ id: 2, r: 'y' }] }))
      await collection.createIndex({ p: 1, q: 1 })
      await refuses(171, collection.insertOne({ m: [{ id: 9, r: 'z' }], p: [1, 2], q: [1, 2] }))
    },
    'an index does not change the results of a query': async ({ collection }) => {
      const documents = [
        { _id: 1, a: 1 },
        { _id: 2, a: [1, 2] },
        { _id: 3, a: [[1]] },
        { _id: 4, a: null },
        { _id: 5 },
        { _id: 6, a: { x: 1 } },
        { _id: 7, a: [] },
        { _id: 8, a: 'x' },
        { _id: 9, a: [{ x: 1 }], b: 2 },
      ]
      await collection.insertMany(documents)
      const filters = [
        { a: 1 },
        { a: [1] },
        { a: null },
        { a: { x: 1 } },
        { 'a.x': 1 },
        { a: [] },
        { a: { $in: [1, 'x'] } },
        { a: 'x' },
        { 'a.x': 1, b: 2 },
      ]
      const without = await Promise.all(filters.map(filter => ids(collection, filter)))
      await collection.createIndexes([{ key: { a: 1 } }, { key: { 'a.x': 1, b: 1 } }])
      assert.deepEqual(await Promise.all(filters.map(filter => ids(collection, filter))), without)
    },
    'building a unique index on equal values fails and leaves nothing behind': async ({ collection }) => {
      await collection.insertMany([{ a: 1 }, { a: 1 }])
      await refuses(11000, collection.createIndex({ a: 1 }, { unique: true }))
      assert.deepEqual(
        (await collection.indexes()).map(index => index.name),
        ['_id_'],
      )
    },
    'indexes are listed and dropped; repeating one is accepted, a conflict refused': async ({ collection }) => {
      assert.equal(await collection.createIndex({ a: 1, b: -1 }), 'a_1_b_-1')
      assert.equal(await collection.createIndex({ a: 1, b: -1 }), 'a_1_b_-1')
      assert.deepEqual(await collection.indexes(), [
        { v: 2, key: { _id: 1 }, name: '_id_' },
        { v: 2, key: { a: 1, b: -1 }, name: 'a_1_b_-1' },
      ])
      await refuses(86, collection.createIndex({ c: 1 }, { name: 'a_1_b_-1' }))
      await refuses(85, collection.createIndex({ a: 1, b: -1 }, { name: 'other' }))
      await refuses(72, collection.dropIndex('_id_'))
      await refuses(27, collection.dropIndex('nope'))
      await collection.dropIndex('a_1_b_-1')
      assert.equal((await collection.indexes()).length, 1)
      assert.equal(await collection.indexExists('a_1_b_-1'), false)
    },
    'of concurrent inserts with the same key, exactly one succeeds': async ({ client, db, collection }) => {
      await collection.createIndex({ k: 1 }, { unique: true })
      const results = await Promise.allSettled(
        Array.from({ length: 40 }, (_, n) =>
          client
            .db(db.databaseName)
            .collection(collection.collectionName)
            .insertOne({ k: n % 4 }),
        ),
      )
      assert.equal(results.filter(result => result.status === 'fulfilled').length, 4)
      for (const result of results)
        if (result.status === 'rejected')
          assert.ok(result.reason instanceof MongoServerError && result.reason.code === 11000)
    },
    'concurrent upserts with the same unique key create one document': async ({ collection }) => {
      await collection.createIndex({ k: 1 }, { unique: true })
      const upsert = () => collection.updateOne({ k: 'x' }, { $inc: { n: 1 } }, { upsert: true })
      await Promise.all(Array.from({ length: 30 }, async () => upsert().catch(upsert)))
      assert.deepEqual(await collection.find({}, { projection: { _id: 0 } }).toArray(), [{ k: 'x', n: 30 }])
    },
  },
}
