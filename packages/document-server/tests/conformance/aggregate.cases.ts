import assert from 'node:assert/strict'
import { Long, ObjectId } from 'mongodb'
import { type Cases, refuses } from './case.ts'

const sales = [
  { _id: 1, item: 'a', n: 2, price: 10, tags: ['x', 'y'], at: new Date('2026-01-02T03:04:05Z') },
  { _id: 2, item: 'b', n: 1, price: 20.5, tags: ['y'], at: new Date('2026-02-02T00:00:00Z') },
  { _id: 3, item: 'a', n: 5, price: 10, tags: [], at: new Date('2026-02-03T00:00:00Z') },
]

export const aggregateCases: Cases = {
  subject: 'aggregation',
  cases: {
    '$match, $sort, $skip, $limit, $project': async ({ collection }) => {
      await collection.insertMany(sales)
      const pipeline = [
        { $match: { n: { $gt: 0 } } },
        { $sort: { n: -1 } },
        { $skip: 1 },
        { $limit: 1 },
        { $project: { item: 1, total: { $multiply: ['$n', '$price'] } } },
      ]
      assert.deepEqual(await collection.aggregate(pipeline).toArray(), [{ _id: 1, item: 'a', total: 20 }])
    },
    '$group with its accumulators': async ({ collection }) => {
      await collection.insertMany(sales)
      const group = {
        _id: '$item',
        n: { $sum: '$n' },
        count: { $sum: 1 },
        avg: { $avg: '$n' },
        min: { $min: '$n' },
        max: { $max: '$n' },
        first: { $first: '$_id' },
        last: { $last: '$_id' },
        ids: { $push: '$_id' },
        revenue: { $sum: { $multiply: ['$n', '$price'] } },
      }
      assert.deepEqual(
        await collection.aggregate([{ $sort: { _id: 1 } }, { $group: group }, { $sort: { _id: 1 } }]).toArray(),
        [
          { _id: 'a', n: 7, count: 2, avg: 3.5, min: 2, max: 5, first: 1, last: 3, ids: [1, 3], revenue: 70 },
          { _id: 'b', n: 1, count: 1, avg: 1, min: 1, max: 1, first: 2, last: 2, ids: [2], revenue: 20.5 },
        ],
      )
      const byMonth = [{ $group: { _id: { m: { $month: '$at' } }, n: { $count: {} } } }, { $sort: { '_id.m': 1 } }]
      assert.deepEqual(await collection.aggregate(byMonth).toArray(), [
        { _id: { m: 1 }, n: 1 },
        { _id: { m: 2 }, n: 2 },
      ])
    },
    '$unwind, $sortByCount, $count': async ({ collection }) => {
      await collection.insertMany(sales)
      assert.deepEqual(await collection.aggregate([{ $unwind: '$tags' }, { $sortByCount: '$tags' }]).toArray(), [
        { _id: 'y', count: 2 },
        { _id: 'x', count: 1 },
      ])
      const unwind = { path: '$tags', includeArrayIndex: 'i', preserveNullAndEmptyArrays: true }
      const rows = await collection.aggregate([{ $unwind: unwind }, { $project: { tags: 1, i: 1 } }]).toArray()
      assert.deepEqual(
        rows.map(row => [row._id, row.tags, Number(row.i ?? -1)]),
        [
          [1, 'x', 0],
          [1, 'y', 1],
          [2, 'y', 0],
          [3, undefined, -1],
        ],
      )
      assert.deepEqual(await collection.aggregate([{ $match: { item: 'a' } }, { $count: 'n' }]).toArray(), [{ n: 2 }])
      assert.deepEqual(await collection.aggregate([{ $match: { item: 'zz' } }, { $count: 'n' }]).toArray(), [])
    },
    '$facet and $addFields': async ({ collection }) => {
      await collection.insertMany(sales)
      const [result] = await collection
        .aggregate([
          {
            $facet: { page: [{ $sort: { _id: -1 } }, { $limit: 1 }, { $project: { n: 1 } }], total: [{ $count: 'n' }] },
          },
        ])
        .toArray()
      assert.deepEqual(result, { page: [{ _id: 3, n: 5 }], total: [{ n: 3 }] })
      const added = await collection
        .aggregate([
          { $match: { _id: 1 } },
          { $addFields: { 'm.x': '$n', n: { $add: ['$n', 1] } } },
          { $unset: ['tags', 'at'] },
        ])
        .toArray()
      assert.deepEqual(added, [{ _id: 1, item: 'a', n: 3, price: 10, m: { x: 2 } }])
    },
    '$lookup by field and by pipeline': async ({ db, collection }) => {
      const items = db.collection<{ _id: string; name: string }>(`${collection.collectionName}_items`)
      await items.insertMany([
        { _id: 'a', name: 'Apple' },
        { _id: 'b', name: 'Bread' },
      ])
      await collection.insertMany([...sales, { _id: 4 }])
      const lookup = { from: items.collectionName, localField: 'item', foreignField: '_id', as: 'of' }
      const rows = await collection
        .aggregate([{ $sort: { _id: 1 } }, { $lookup: lookup }, { $project: { name: { $first: '$of.name' } } }])
        .toArray()
      assert.deepEqual(rows, [
        { _id: 1, name: 'Apple' },
        { _id: 2, name: 'Bread' },
        { _id: 3, name: 'Apple' },
        { _id: 4 },
      ])
      const pipeline = [{ $match: { $expr: { $eq: ['$_id', '$$item'] } } }, { $project: { _id: 0, name: 1 } }]
      const piped = await collection
        .aggregate([
          { $match: { _id: 2 } },
          { $lookup: { from: items.collectionName, let: { item: '$item' }, pipeline, as: 'of' } },
          { $project: { of: 1 } },
        ])
        .toArray()
      assert.deepEqual(piped, [{ _id: 2, of: [{ name: 'Bread' }] }])
    },
    expressions: async ({ collection }) => {
      await collection.insertMany(sales)
      const project = {
        _id: 0,
        up: { $toUpper: '$item' },
        day: { $dateToString: { date: '$at', format: '%Y-%m-%d' } },
        size: { $size: '$tags' },
        kind: { $cond: [{ $gte: ['$n', 2] }, 'many', 'few'] },
        none: { $ifNull: ['$nope', 'none'] },
        literal: { $literal: '$n' },
        shout: { $map: { input: '$tags', as: 't', in: { $concat: ['$$t', '!'] } } },
        has: { $in: ['x', '$tags'] },
        nested: { deep: '$price' },
      }
      const [row] = await collection.aggregate([{ $match: { _id: 1 } }, { $project: project }]).toArray()
      assert.deepEqual(row, {
        up: 'A',
        day: '2026-01-02',
        size: 2,
        kind: 'many',
        none: 'none',
        literal: '$n',
        shout: ['x!', 'y!'],
        has: true,
        nested: { deep: 10 },
      })
    },
    'expressions on types JavaScript does not have': async ({ collection }) => {
      const id = new ObjectId('65f000000000000000000001')
      await collection.insertOne({ _id: id, n: 3, l: [1, 2, 3], none: null, big: Long.fromString('9007199254740993') })
      const project = {
        _id: 0,
        text: { $toString: '$_id' },
        id: { $toObjectId: '65f000000000000000000001' },
        at: { $toDate: '$_id' },
        types: [{ $type: '$n' }, { $type: '$nope' }, { $type: '$_id' }, { $type: '$big' }],
        sums: [{ $sum: '$l' }, { $sum: ['$n', 1, 'x'] }, { $max: '$l' }, { $avg: ['$n', 4] }],
        below: { $lt: ['$nope', null] },
        same: { $eq: ['$big', Long.fromString('9007199254740993')] },
      }
      const [row] = await collection.aggregate([{ $project: project }]).toArray()
      assert.deepEqual(row, {
        text: id.toHexString(),
        id,
        at: id.getTimestamp(),
        types: ['int', 'missing', 'objectId', 'long'],
        sums: [6, 4, 3, 3.5],
        below: true,
        same: true,
      })
      await assert.rejects(collection.aggregate([{ $project: { x: { $size: '$none' } } }]).toArray(), /size/)
    },
    '$replaceRoot, $unionWith, $sample': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, d: { a: 1 } },
        { _id: 2, d: { a: 2 } },
      ])
      assert.deepEqual(
        await collection.aggregate([{ $sort: { _id: 1 } }, { $replaceRoot: { newRoot: '$d' } }]).toArray(),
        [{ a: 1 }, { a: 2 }],
      )
      assert.equal(
        (await collection.aggregate([{ $unionWith: { coll: collection.collectionName } }]).toArray()).length,
        4,
      )
      assert.equal((await collection.aggregate([{ $sample: { size: 1 } }]).toArray()).length, 1)
    },
    'an unknown stage or operator is refused, and the error names it': async ({ collection }) => {
      await collection.insertOne({ a: 1 })
      assert.match((await refuses(40324, collection.aggregate([{ $nope: {} }]).toArray())).message, /\$nope/)
      await assert.rejects(collection.aggregate([{ $project: { x: { $nope: 1 } } }]).toArray(), /\$nope/)
      assert.match(
        (await refuses(15952, collection.aggregate([{ $group: { _id: 1, x: { $nope: 1 } } }]).toArray())).message,
        /\$nope/,
      )
    },
  },
}
