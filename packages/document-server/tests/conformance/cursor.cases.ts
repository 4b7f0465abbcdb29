import assert from 'node:assert/strict'
import { Long } from 'mongodb'
import { type Cases, refuses } from './case.ts'

export const cursorCases: Cases = {
  subject: 'cursors',
  cases: {
    'a result comes in batches': async ({ collection }) => {
      await collection.insertMany(Array.from({ length: 1050 }, (_, _id) => ({ _id })))
      for (const batchSize of [70, 350, 5000]) {
        const found = await collection.find({}, { batchSize }).toArray()
        assert.equal(found.length, 1050)
      }
      assert.equal((await collection.find({}).toArray()).length, 1050)
      assert.equal((await collection.aggregate([], { batchSize: 100 }).toArray()).length, 1050)
      assert.equal((await collection.find({}, { batchSize: 10 }).limit(25).toArray()).length, 25)
    },
    'the server distinguishes an open cursor from a finished one': async ({ db, collection }) => {
      await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }])
      const find = collection.collectionName
      const open = await db.command({ find, batchSize: 2 }, { promoteLongs: false })
      assert.equal(open.cursor.firstBatch.length, 2)
      const next = await db.command({ getMore: open.cursor.id, collection: find })
      assert.deepEqual([next.cursor.nextBatch, Number(next.cursor.id)], [[{ _id: 3 }], 0])
      await refuses(43, db.command({ getMore: open.cursor.id, collection: find }))
      const single = await db.command({ find, batchSize: 1, singleBatch: true })
      assert.equal(Number(single.cursor.id), 0)
      const empty = await db.command({ find, batchSize: 0 }, { promoteLongs: false })
      assert.deepEqual(empty.cursor.firstBatch, [])
      assert.notEqual(Number(empty.cursor.id), 0)
    },
    'killCursors closes a cursor': async ({ db, collection }) => {
      await collection.insertMany([{ _id: 1 }, { _id: 2 }])
      const find = collection.collectionName
      const { cursor } = await db.command({ find, batchSize: 1 }, { promoteLongs: false })
      const unknown = Long.fromNumber(123)
      const reply = await db.command({ killCursors: find, cursors: [cursor.id, unknown] }, { promoteLongs: false })
      assert.deepEqual(
        [reply.cursorsKilled.map(String), reply.cursorsNotFound.map(String)],
        [[String(cursor.id)], ['123']],
      )
      await refuses(43, db.command({ getMore: cursor.id, collection: find }))
    },
    'replies stay below 16 MiB': async ({ db, collection }) => {
      const big = 'x'.repeat(6 * 1024 * 1024)
      await collection.insertMany([1, 2, 3, 4].map(_id => ({ _id, big })))
      const first = await db.command({ find: collection.collectionName, batchSize: 10 })
      assert.equal(first.cursor.firstBatch.length, 2)
      const found = await collection.find().toArray()
      assert.deepEqual(
        found.map(doc => [doc._id, doc.big.length]),
        [1, 2, 3, 4].map(_id => [_id, big.length]),
      )
    },
  },
}
