import assert from 'node:assert/strict'
import { MongoBulkWriteError, ObjectId } from 'mongodb'
import { type Cases, ids, refuses } from './case.ts'

export const writeCases: Cases = {
  subject: 'writes',
  cases: {
    'insertOne creates an ObjectId and returns it': async ({ collection }) => {
      const { insertedId } = await collection.insertOne({ a: 1 })
      assert.ok(insertedId instanceof ObjectId)
      assert.deepEqual(await collection.findOne({ _id: insertedId }), { _id: insertedId, a: 1 })
    },
    'a second document with the same _id is refused with 11000': async ({ collection }) => {
      await collection.insertOne({ _id: 'x' })
      const error = await refuses(11000, collection.insertOne({ _id: 'x' }))
      assert.deepEqual(error.keyPattern, { _id: 1 })
      assert.deepEqual(error.keyValue, { _id: 'x' })
    },
    '_id is stored first, and 1 and 1.0 are the same id': async ({ collection }) => {
      await collection.insertOne({ a: 1, _id: 1 })
      assert.deepEqual(Object.keys((await collection.findOne({})) ?? {}), ['_id', 'a'])
      await refuses(11000, collection.updateOne({ _id: 1.0, a: 9 }, { $set: { b: 1 } }, { upsert: true }))
    },
    'an _id may not be an array, a regular expression or undefined': async ({ db, collection }) => {
      await refuses(53, collection.insertOne({ _id: [1] }))
      await refuses(53, collection.insertOne({ _id: /a/ as never }))
      const missing = { insert: collection.collectionName, documents: [{ a: 1, _id: undefined }] }
      const reply = await db.command(missing, { ignoreUndefined: false })
      assert.equal(reply.n, 1) // The driver sends null.
      await refuses(53, collection.updateOne({ _id: [1] }, { $set: { a: 1 } }, { upsert: true }))
      await refuses(53, collection.replaceOne({ b: 1 }, { _id: [1] as never, a: 1 }, { upsert: true }))
    },
    'an _id may not have field names that begin with a $, at any depth': async ({ collection }) => {
      const ids = [{ $a: 1 }, { a: 1, $b: 1 }, { a: { $b: 1 } }, { a: [{ $b: 1 }] }] as unknown as string[]
      for (const _id of ids) {
        await refuses(52, collection.insertOne({ _id }))
        await refuses(52, collection.insertOne({ b: 1, _id }))
        await refuses(52, collection.updateOne({ b: 1 }, { $set: { _id } }, { upsert: true }))
        await refuses(52, collection.replaceOne({ b: 1 }, { _id }, { upsert: true }))
        await refuses(52, collection.findOneAndReplace({ b: 1 }, { _id }, { upsert: true }))
      }
      const error = await failure(collection.insertMany([{ _id: 1 }, { _id: ids[0] as string }, { _id: 2 }]))
      assert.deepEqual([error.insertedCount, error.code], [1, 52])
      assert.equal(await collection.countDocuments(), 1)
      await collection.insertOne({ _id: { a: 1, b: { c: 1 } } as never })
      assert.equal(await collection.countDocuments(), 2)
    },
    'an ordered insertMany stops at the first failure': async ({ collection }) => {
      const error = await failure(collection.insertMany([{ _id: 1 }, { _id: 1 }, { _id: 2 }]))
      assert.equal(error.insertedCount, 1)
      assert.deepEqual(
        [error.writeErrors].flat().map(each => [each.index, each.code]),
        [[1, 11000]],
      )
      assert.deepEqual(await ids(collection, {}), [1])
    },
    'an unordered insertMany goes on after failures': async ({ collection }) => {
      const documents = [{ _id: 1 }, { _id: 1 }, { _id: 2 }, { _id: 2 }, { _id: 3 }]
      const error = await failure(collection.insertMany(documents, { ordered: false }))
      assert.deepEqual(
        [error.writeErrors].flat().map(each => each.index),
        [1, 3],
      )
      assert.deepEqual(await ids(collection, {}), [1, 2, 3])
    },
    'updateOne, updateMany, replaceOne and deletes return counts': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, a: 1 },
        { _id: 2, a: 1 },
        { _id: 3, a: 2 },
      ])
      const one = await collection.updateOne({ a: 1 }, { $set: { b: 1 } })
      assert.deepEqual([one.matchedCount, one.modifiedCount], [1, 1])
      const same = await collection.updateOne({ _id: 1 }, { $set: { b: 1 } })
      assert.deepEqual([same.matchedCount, same.modifiedCount], [1, 0])
      const many = await collection.updateMany({}, { $set: { b: 1 } })
      assert.deepEqual([many.matchedCount, many.modifiedCount], [3, 2])
      const replaced = await collection.replaceOne({ _id: 3 }, { c: 1 })
      assert.equal(replaced.modifiedCount, 1)
      assert.deepEqual(await collection.findOne({ _id: 3 }), { _id: 3, c: 1 })
      assert.equal((await collection.deleteOne({ a: 1 })).deletedCount, 1)
      assert.equal((await collection.deleteMany({})).deletedCount, 2)
    },
    'an upsert adopts the equalities of its filter': async ({ collection }) => {
      const result = await collection.updateOne(
        { _id: 7, a: 1, 'n.x': { $eq: 2 }, z: { $gt: 3 }, $and: [{ b: 2 }] },
        { $set: { c: 3 }, $setOnInsert: { d: 4 } },
        { upsert: true },
      )
      assert.deepEqual([result.matchedCount, result.upsertedCount, result.upsertedId], [0, 1, 7])
      assert.deepEqual(await collection.findOne({}), { _id: 7, a: 1, b: 2, c: 3, d: 4, n: { x: 2 } })
      await collection.updateOne({ _id: 7 }, { $setOnInsert: { d: 5 } }, { upsert: true })
      assert.equal((await collection.findOne({}))?.d, 4)
    },
    'a replacing upsert adopts only the _id of its filter': async ({ collection }) => {
      await collection.replaceOne({ _id: 1, a: 1 }, { b: 2 }, { upsert: true })
      assert.deepEqual(await collection.find().toArray(), [{ _id: 1, b: 2 }])
    },
    'findOneAndUpdate returns the document before or after the update': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, n: 1 },
        { _id: 2, n: 5 },
      ])
      assert.deepEqual(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }), { _id: 1, n: 1 })
      const after = { returnDocument: 'after' } as const
      assert.deepEqual(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, after), { _id: 1, n: 3 })
      const last = await collection.findOneAndUpdate(
        {},
        { $set: { x: 1 } },
        { sort: { n: -1 }, projection: { n: 1 }, ...after },
      )
      assert.deepEqual(last, { _id: 2, n: 5 })
      assert.equal(await collection.findOneAndUpdate({ _id: 9 }, { $set: { n: 1 } }), null)
      assert.equal(await collection.findOneAndUpdate({ _id: 9 }, { $set: { n: 1 } }, { upsert: true }), null)
    },
    'findOneAndUpdate with its metadata': async ({ collection }) => {
      const options = { upsert: true, includeResultMetadata: true } as const
      const made = await collection.findOneAndUpdate({ _id: 1 }, { $set: { a: 1 } }, options)
      assert.deepEqual(made.lastErrorObject, { n: 1, updatedExisting: false, upserted: 1 })
      const changed = await collection.findOneAndUpdate({ _id: 1 }, { $set: { a: 2 } }, options)
      assert.deepEqual(
        [changed.lastErrorObject, changed.value],
        [
          { n: 1, updatedExisting: true },
          { _id: 1, a: 1 },
        ],
      )
    },
    'findOneAndReplace and findOneAndDelete': async ({ collection }) => {
      await collection.insertOne({ _id: 1, a: 1 })
      assert.deepEqual(await collection.findOneAndReplace({ a: 1 }, { b: 1 }, { returnDocument: 'after' }), {
        _id: 1,
        b: 1,
      })
      assert.deepEqual(await collection.findOneAndDelete({ b: 1 }), { _id: 1, b: 1 })
      assert.equal(await collection.findOneAndDelete({ b: 1 }), null)
    },
    'bulkWrite mixes operations and reports upserts': async ({ collection }) => {
      const result = await collection.bulkWrite([
        { insertOne: { document: { _id: 1, a: 1 } } },
        { updateOne: { filter: { _id: 1 }, update: { $set: { a: 2 } } } },
        { updateOne: { filter: { _id: 2 }, update: { $set: { a: 2 } }, upsert: true } },
        { replaceOne: { filter: { _id: 1 }, replacement: { a: 3 } } },
        { deleteMany: { filter: { a: 2 } } },
      ])
      assert.deepEqual(
        [result.insertedCount, result.matchedCount, result.modifiedCount, result.deletedCount, result.upsertedIds],
        [1, 2, 2, 1, { 2: 2 }],
      )
      assert.deepEqual(await collection.find().toArray(), [{ _id: 1, a: 3 }])
    },
    'replacement-style updateMany is refused': async ({ db, collection }) => {
      const updates = [{ q: {}, u: { a: 1 }, multi: true }]
      const reply = await db.command({ update: collection.collectionName, updates })
      assert.deepEqual([reply.n, reply.writeErrors[0].code], [0, 9])
    },
    'an unacknowledged write is carried out': async ({ collection }) => {
      await collection.insertOne({ _id: 1 }, { writeConcern: { w: 0 } })
      for (let tries = 0; tries < 6000 && !(await collection.findOne({ _id: 1 })); tries++)
        await new Promise(done => setTimeout(done, 10))
      assert.deepEqual(await ids(collection, {}), [1])
    },
  },
}

async function failure(action: Promise<unknown>): Promise<MongoBulkWriteError> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof MongoBulkWriteError, String(error))
  return error
}
