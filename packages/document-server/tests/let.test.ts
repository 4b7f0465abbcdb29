import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Collection, type Document, MongoClient, MongoServerError } from 'mongodb'
import { embeddedTarget, type Target } from './support/target.ts'

interface Row extends Document {
  _id: number
}

let target: Target
let client: MongoClient
let rows: Collection<Row>
before(async () => {
  target = await embeddedTarget()
  client = await MongoClient.connect(target.url)
  rows = client.db('let').collection<Row>('rows')
})
after(async () => {
  await client.close()
  await target[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await rows.deleteMany({})
  await rows.insertMany([1, 2, 3].map(n => ({ _id: n, n })))
})

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    error => (error instanceof MongoServerError ? error.code : error),
  )
/** Only the document with this `n`, by a variable that has to be evaluated. */
const two = { x: { $add: [1, 1] } }
const isX = { $expr: { $eq: ['$n', '$$x'] } }
const left = async (): Promise<number[]> => (await rows.find().sort({ _id: 1 }).toArray()).map(row => row.n)

describe('`let` is evaluated once, for every command', () => {
  test('find, with its projection', async () => {
    const found = await rows.find(isX, { let: two, projection: { y: { $multiply: ['$n', '$$x'] } } }).toArray()
    assert.deepEqual(found, [{ _id: 2, y: 4 }])
  })

  test('delete', async () => {
    assert.equal((await rows.deleteMany(isX, { let: two })).deletedCount, 1)
    assert.deepEqual(await left(), [1, 3])
    assert.equal((await rows.deleteOne(isX, { let: { x: { $subtract: [5, 2] } } })).deletedCount, 1)
    assert.deepEqual(await left(), [1])
  })

  test('update, with operators and with a pipeline', async () => {
    await rows.updateMany(isX, { $set: { n: 20 } }, { let: two })
    assert.deepEqual(await left(), [1, 20, 3])
    await rows.updateOne({ _id: 1 }, [{ $set: { n: { $add: ['$n', '$$x'] } } }], { let: two })
    assert.deepEqual(await left(), [3, 20, 3])
  })

  test('the statements of a bulk write', async () => {
    await rows.bulkWrite(
      [
        { updateOne: { filter: isX, update: { $set: { n: 9 } } } },
        { deleteMany: { filter: { $expr: { $lt: ['$n', '$$x'] } } } },
      ],
      { let: two },
    )
    assert.deepEqual(await left(), [9, 3])
  })

  test('findAndModify', async () => {
    const changed = await rows.findOneAndUpdate(isX, [{ $set: { y: '$$x' } }], { let: two, returnDocument: 'after' })
    assert.deepEqual(changed, { _id: 2, n: 2, y: 2 })
    assert.deepEqual(await rows.findOneAndDelete(isX, { let: two }), { _id: 2, n: 2, y: 2 })
    assert.deepEqual(await left(), [1, 3])
  })

  test('aggregate, in its stages and those nested in them', async () => {
    const lookup = {
      from: 'rows',
      let: { own: '$n' },
      pipeline: [{ $match: { $expr: { $eq: ['$n', { $add: ['$$own', '$$x'] }] } } }, { $project: { z: '$$x' } }],
      as: 'more',
    }
    const pipeline = [{ $match: { $expr: { $lt: ['$n', '$$x'] } } }, { $lookup: lookup }, { $addFields: { x: '$$x' } }]
    assert.deepEqual(await rows.aggregate(pipeline, { let: two }).toArray(), [
      { _id: 1, n: 1, more: [{ _id: 3, z: 2 }], x: 2 },
    ])
    const sized = {
      from: 'rows',
      let: { n: { $size: '$l' } },
      pipeline: [{ $match: { $expr: { $eq: ['$n', '$$n'] } } }],
      as: 'l',
    }
    const withList = [{ $match: { _id: 1 } }, { $set: { l: ['a', 'b', 'c'] } }, { $lookup: sized }]
    assert.deepEqual(await rows.aggregate(withList).toArray(), [{ _id: 1, n: 1, l: [{ _id: 3, n: 3 }] }])
    const facet = [{ $facet: { a: [{ $match: isX }] } }, { $unionWith: { coll: 'rows', pipeline: [{ $match: isX }] } }]
    assert.deepEqual(await rows.aggregate(facet, { let: two }).toArray(), [{ a: [{ _id: 2, n: 2 }] }, { _id: 2, n: 2 }])
    const grouped = [{ $group: { _id: '$$x', n: { $sum: { $add: ['$n', '$$x'] } } } }]
    assert.deepEqual(await rows.aggregate(grouped, { let: two }).toArray(), [{ _id: 2, n: 12 }])
  })

  test('a variable may use those before it, and system variables', async () => {
    const variables = { x: 1, y: { $add: ['$$x', 1] }, now: '$$NOW', gone: '$$REMOVE' }
    const [row] = await rows
      .aggregate(
        [{ $match: { _id: 1 } }, { $project: { _id: 0, y: '$$y', now: { $eq: ['$$now', '$$NOW'] }, gone: '$$gone' } }],
        { let: variables },
      )
      .toArray()
    assert.deepEqual(row, { y: 2, now: true })
    assert.deepEqual(
      await rows.find({ $expr: { $eq: ['$n', '$$x.a.b'] } }, { let: { x: { a: [{ b: 1 }] } } }).toArray(),
      [],
    )
  })

  test('$$NOW is the same for a whole command, in filters of count and distinct as well', async () => {
    const times = await rows.aggregate([{ $project: { now: '$$NOW' } }]).toArray()
    assert.equal(new Set(times.map(({ now }) => now.getTime())).size, 1)
    const past = { $expr: { $lt: ['$n', '$$NOW'] } }
    assert.equal((await client.db('let').command({ count: 'rows', query: past })).n, 3)
    assert.deepEqual(await rows.distinct('n', past), [1, 2, 3])
  })
})

test('what a variable may not be, and one that is unknown, is refused', async () => {
  const find = (variables: Document, filter: Document = {}) => codeOf(rows.find(filter, { let: variables }).toArray())
  assert.equal(await find({ x: '$n' }), 4890500)
  assert.equal(await find({ x: '$$ROOT' }), 4890500)
  assert.equal(await find({ x: { $add: ['$$CURRENT.n', 1] } }), 4890500)
  assert.equal(await find({ x: '$$y' }), 17276)
  assert.equal(await find({ x: { $nope: 1 } }), 168)
  assert.equal(await find({ x: { $divide: [1, 0] } }), 2)
  assert.equal(await find({ X: 1 }), 16867)
  assert.equal(await find({ NOW: 1 }), 16867)
  assert.equal(await find({ 'a.b': 1 }), 16868)
  assert.equal(await find({ '': 1 }), 16866)
  const unknown = { $expr: { $eq: ['$n', '$$nope'] } }
  assert.equal(await codeOf(client.db('let').command({ find: 'rows', let: 1 })), 14)
  const commands: Record<string, () => Promise<unknown>> = {
    find: () => rows.find(unknown).toArray(),
    absent: () => client.db('let').collection('absent').find(unknown).toArray(),
    projection: () => rows.find({}, { projection: { x: '$$nope' } }).toArray(),
    count: () => client.db('let').command({ count: 'rows', query: unknown }),
    distinct: () => rows.distinct('n', unknown as Document),
    delete: () => rows.deleteMany(unknown, { let: two }),
    update: () => rows.updateMany(unknown, { $set: { n: 0 } }),
    pipeline: () => rows.updateMany({}, [{ $set: { n: '$$nope' } }]),
    findAndModify: () => rows.findOneAndDelete(unknown),
    aggregate: () => rows.aggregate([{ $match: unknown }]).toArray(),
    group: () => rows.aggregate([{ $group: { _id: '$$nope' } }]).toArray(),
  }
  for (const [name, run] of Object.entries(commands)) assert.equal(await codeOf(run()), 17276, name)
  assert.deepEqual(await left(), [1, 2, 3])
})

test('variables of an expression end with it', async () => {
  const bound = { $let: { vars: { y: 1 }, in: '$$y' } }
  assert.equal(await codeOf(rows.aggregate([{ $project: { x: [bound, '$$y'] } }]).toArray()), 17276)
  const map = { $map: { input: [1], in: '$$this' } }
  assert.equal(await codeOf(rows.aggregate([{ $project: { x: [map, '$$this'] } }]).toArray()), 17276)
})

test('$expr is refused where MongoDB has no variables', async () => {
  const set = { $set: { 'l.$[e]': 1 } }
  assert.equal(await codeOf(rows.updateOne({}, set, { arrayFilters: [{ $expr: true, e: 1 }] })), 224)
  await rows.updateOne({ _id: 1 }, { $set: { l: [{ a: 1 }] } })
  assert.equal(await codeOf(rows.updateOne({ _id: 1 }, { $pull: { l: { $expr: true } } } as Document)), 2)
})
