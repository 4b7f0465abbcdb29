import assert from 'node:assert/strict'
import { Binary, BSONRegExp, Code, Decimal128, type Document, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb'
import { type Cases, ids, refuses } from './case.ts'
import { decimal, double, long } from './tables/values.ts'

export const queryCases: Cases = {
  subject: 'queries',
  cases: {
    'comparisons stay within a type': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, v: 5 },
        { _id: 2, v: '5' },
        { _id: 3, v: null },
        { _id: 4 },
        { _id: 5, v: 7.5 },
      ])
      assert.deepEqual(await ids(collection, { v: { $gt: 4 } }), [1, 5])
      assert.deepEqual(await ids(collection, { v: { $gte: '5' } }), [2])
      assert.deepEqual(await ids(collection, { v: { $lte: null } }), [3, 4])
      assert.deepEqual(await ids(collection, { v: { $gt: 5, $lt: 8 } }), [5])
    },
    'numbers of all types compare by value': async ({ collection }) => {
      const values = [1, Long.fromNumber(1), Decimal128.fromString('1.0'), 1.5, Long.fromString('9007199254740993')]
      await collection.insertMany(values.map((v, _id) => ({ _id, v })))
      assert.deepEqual(await ids(collection, { v: 1 }), [0, 1, 2])
      assert.deepEqual(await ids(collection, { v: { $in: [Decimal128.fromString('1')] } }), [0, 1, 2])
      assert.deepEqual(await ids(collection, { v: Long.fromString('9007199254740993') }), [4])
      assert.deepEqual(await ids(collection, { v: 9007199254740992 }), [])
      assert.deepEqual(await ids(collection, { v: { $gt: 1, $lt: 2 } }), [3])
    },
    'null means null or missing, and $exists distinguishes them': async ({ collection }) => {
      await collection.insertMany([{ _id: 1, a: null }, { _id: 2 }, { _id: 3, a: 1 }])
      assert.deepEqual(await ids(collection, { a: null }), [1, 2])
      assert.deepEqual(await ids(collection, { a: { $ne: null } }), [3])
      assert.deepEqual(await ids(collection, { a: { $exists: true } }), [1, 3])
      assert.deepEqual(await ids(collection, { a: { $in: [null] } }), [1, 2])
      assert.deepEqual(await ids(collection, { a: { $type: 'null' } }), [1])
    },
    'null below arrays': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, a: [] },
        { _id: 2, a: [1] },
        { _id: 3, a: [{ c: 1 }] },
        { _id: 4, a: 5 },
        { _id: 5, a: [{ b: 1 }] },
      ])
      assert.deepEqual(await ids(collection, { 'a.b': null }), [3, 4])
      assert.deepEqual(await ids(collection, { 'a.b': { $exists: false } }), [1, 2, 3, 4])
    },
    'arrays match by element, as a whole and by index': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, t: ['a', 'b'] },
        { _id: 2, t: ['b'] },
        { _id: 3, t: [] },
        { _id: 4, t: [['b']] },
      ])
      assert.deepEqual(await ids(collection, { t: 'b' }), [1, 2])
      assert.deepEqual(await ids(collection, { t: ['b'] }), [2, 4])
      assert.deepEqual(await ids(collection, { 't.0': 'b' }), [2])
      assert.deepEqual(await ids(collection, { t: { $size: 1 } }), [2, 4])
      assert.deepEqual(await ids(collection, { t: { $all: ['b', 'a'] } }), [1])
      assert.deepEqual(await ids(collection, { t: { $nin: ['a'] } }), [2, 3, 4])
      assert.deepEqual(await ids(collection, { t: { $ne: 'b' } }), [3, 4])
    },
    '$elemMatch needs one element for all conditions': async ({ collection }) => {
      await collection.insertMany([
        {
          _id: 1,
          r: [
            { p: 'x', s: 8 },
            { p: 'y', s: 3 },
          ],
          n: [1, 9],
        },
        {
          _id: 2,
          r: [
            { p: 'x', s: 3 },
            { p: 'y', s: 8 },
          ],
          n: [5],
        },
      ])
      assert.deepEqual(await ids(collection, { r: { $elemMatch: { p: 'x', s: { $gt: 5 } } } }), [1])
      assert.deepEqual(await ids(collection, { 'r.p': 'x', 'r.s': { $gt: 5 } }), [1, 2])
      assert.deepEqual(await ids(collection, { n: { $elemMatch: { $gt: 3, $lt: 7 } } }), [2])
      // Without it, different elements may match the conditions.
      assert.deepEqual(await ids(collection, { n: { $gt: 3, $lt: 7 } }), [1, 2])
    },
    'embedded documents are equal field by field, in order': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, d: { a: 1, b: 2 } },
        { _id: 2, d: { b: 2, a: 1 } },
      ])
      assert.deepEqual(await ids(collection, { d: { a: 1, b: 2 } }), [1])
      assert.deepEqual(await ids(collection, { 'd.a': 1 }), [1, 2])
    },
    'logical operators': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, a: 1 },
        { _id: 2, a: 2 },
        { _id: 3, a: 3 },
      ])
      assert.deepEqual(await ids(collection, { $or: [{ a: 1 }, { a: 3 }] }), [1, 3])
      assert.deepEqual(await ids(collection, { $nor: [{ a: 1 }, { a: 3 }] }), [2])
      assert.deepEqual(await ids(collection, { a: { $not: { $gt: 1 } } }), [1])
      assert.deepEqual(await ids(collection, { $and: [{ a: { $gt: 1 } }, { a: { $lt: 3 } }] }), [2])
      assert.deepEqual(await ids(collection, { $expr: { $gt: ['$a', 2] } }), [3])
      assert.deepEqual(await ids(collection, { a: { $mod: [2, 1] } }), [1, 3])
    },
    'regular expressions': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, s: 'Hello' },
        { _id: 2, s: 'help' },
        { _id: 3, s: ['x', 'hero'] },
        { _id: 4, s: 4 },
      ])
      assert.deepEqual(await ids(collection, { s: /^hel/i }), [1, 2])
      assert.deepEqual(await ids(collection, { s: { $regex: '^HE', $options: 'i' } }), [1, 2, 3])
      assert.deepEqual(await ids(collection, { s: { $in: [/^her/, 'help'] } }), [2, 3])
      assert.deepEqual(await ids(collection, { s: { $not: /^hel/i } }), [3, 4])
    },
    'values are sorted by type, then by value, and arrays by their smallest or largest element': async ({
      collection,
    }) => {
      const values = [[3, 9], 'b', 5, null, true, { a: 1 }, new ObjectId(), new Date(0), 2.5, 'a']
      await collection.insertMany(values.map((v, _id) => ({ _id, v })))
      const up = await collection.find().sort({ v: 1 }).toArray()
      assert.deepEqual(
        up.map(doc => doc._id),
        [3, 8, 0, 2, 9, 1, 5, 6, 4, 7],
      )
      const down = await collection
        .find({ _id: { $in: [0, 2, 8] } })
        .sort({ v: -1 })
        .toArray()
      assert.deepEqual(
        down.map(doc => doc._id),
        [0, 2, 8],
      )
    },
    'an empty array sorts before null, and after MinKey': async ({ collection }) => {
      const values = [null, [], 1, [null, 5], [[]], new MinKey(), {}]
      await collection.insertMany(values.map((v, _id) => ({ _id, v })))
      await collection.insertOne({ _id: 7 })
      const sorted = async (direction: 1 | -1) =>
        (await collection.find().sort({ v: direction, _id: 1 }).toArray()).map(doc => doc._id)
      assert.deepEqual(await sorted(1), [5, 1, 0, 3, 7, 2, 6, 4])
      assert.deepEqual(await sorted(-1), [4, 6, 3, 2, 0, 7, 1, 5])
      assert.equal((await collection.findOneAndDelete({ _id: { $in: [0, 1] } }, { sort: { v: 1 } }))?._id, 1)
    },
    'types sort in the documented order': async ({ collection }) => {
      const values = [
        ...[
          new MinKey(),
          null,
          double(Number.NaN),
          double(Number.NEGATIVE_INFINITY),
          -1,
          decimal('0.5'),
          long('9007199254740993'),
        ],
        ...['', 'a', {}, { a: 1 }, [{}], new Binary(Buffer.from('b')), new Binary(Buffer.from('aa'))],
        ...[
          new ObjectId('65f000000000000000000001'),
          false,
          true,
          new Date(-1),
          new Date(1),
          new Timestamp({ t: 0, i: 5 }),
        ],
        ...[new BSONRegExp('a'), new Code('x'), new Code('x', { a: 1 }), new MaxKey()],
      ]
      const ids = values.map((_, _id) => _id)
      await collection.insertMany(values.map((v, _id) => ({ _id, v: [v] })).reverse())
      const up = await collection
        .find({}, { projection: { _id: 1 } })
        .sort({ v: 1 })
        .toArray()
      assert.deepEqual(
        up.map(doc => doc._id),
        ids,
      )
      const down = await collection
        .find({}, { projection: { _id: 1 } })
        .sort({ v: -1 })
        .toArray()
      assert.deepEqual(
        down.map(doc => doc._id),
        ids.toReversed(),
      )
    },
    'sort by several keys with skip and limit': async ({ collection }) => {
      await collection.insertMany(Array.from({ length: 20 }, (_, _id) => ({ _id, g: _id % 3, n: { x: -_id } })))
      const page = await collection
        .find({ g: { $lt: 2 } })
        .sort({ g: -1, 'n.x': 1 })
        .skip(2)
        .limit(3)
        .toArray()
      assert.deepEqual(
        page.map(doc => doc._id),
        [13, 10, 7],
      )
    },
    'inclusion and exclusion': async ({ collection }) => {
      await collection.insertOne({ _id: 1, a: 1, n: { x: 1, y: 2 }, l: [{ x: 1, y: 2 }, 3] })
      const project = (projection: object) => collection.findOne({}, { projection })
      assert.deepEqual(await project({ a: 1 }), { _id: 1, a: 1 })
      assert.deepEqual(await project({ _id: 0, 'n.x': 1 }), { n: { x: 1 } })
      assert.deepEqual(await project({ 'l.x': 1, _id: 0 }), { l: [{ x: 1 }] })
      assert.deepEqual(await project({ n: 0, l: 0 }), { _id: 1, a: 1 })
      assert.deepEqual(await project({ 'l.x': 0, n: 0 }), { _id: 1, a: 1, l: [{ y: 2 }, 3] })
      assert.deepEqual(await project({ n: { y: 1 }, _id: 0 }), { n: { y: 2 } })
      assert.deepEqual(await project({ _id: 0, twice: { $add: ['$a', '$a'] } }), { twice: 2 })
    },
    '$slice and $elemMatch in a projection': async ({ collection }) => {
      await collection.insertOne({ _id: 1, l: [1, 2, 3, 4], r: [{ a: 1 }, { a: 2 }] })
      const project = async (projection: object) => (await collection.findOne<Document>({}, { projection })) ?? {}
      assert.deepEqual((await project({ l: { $slice: 2 } })).l, [1, 2])
      assert.deepEqual((await project({ l: { $slice: [-3, 2] } })).l, [2, 3])
      assert.deepEqual(await project({ r: { $elemMatch: { a: 2 } } }), { _id: 1, r: [{ a: 2 }] })
    },
    'count and distinct': async ({ collection }) => {
      await collection.insertMany([{ _id: 1, t: ['b', 'a'] }, { _id: 2, t: 'a' }, { _id: 3 }])
      assert.equal(await collection.countDocuments({ t: 'a' }), 2)
      assert.equal(await collection.countDocuments({}, { skip: 1, limit: 5 }), 2)
      assert.equal(await collection.estimatedDocumentCount(), 3)
      assert.deepEqual(await collection.distinct('t'), ['a', 'b'])
      assert.deepEqual(await collection.distinct('t', { _id: 2 }), ['a'])
    },
    'unknown operators are refused, and the error names them': async ({ collection }) => {
      await collection.insertOne({ a: 1 })
      assert.match((await refuses(2, collection.findOne({ a: { $nope: 1 } }))).message, /\$nope/)
      assert.match((await refuses(2, collection.findOne({ $nope: [] }))).message, /\$nope/)
      await refuses(2, collection.findOne({ $or: [] }))
    },
    'a missing collection is empty, and what is wrong is refused as in others': async ({ db, collection }) => {
      await refuses(2, collection.find({ a: { $nope: 1 } }).toArray())
      await refuses(15975, db.command({ find: collection.collectionName, sort: { a: 2 } }))
      await refuses(2, collection.distinct('a', { a: { $nope: 1 } }))
      await refuses(2, db.command({ count: collection.collectionName, query: { $nope: 1 } }))
      await refuses(2, collection.deleteMany({ $or: [] }))
      assert.deepEqual(await collection.find({ a: 1 }).toArray(), [])
      assert.equal(await collection.countDocuments({}), 0)
      assert.equal((await collection.deleteMany({})).deletedCount, 0)
      assert.equal((await collection.updateOne({}, { $set: { a: 1 } })).matchedCount, 0)
    },
  },
}
