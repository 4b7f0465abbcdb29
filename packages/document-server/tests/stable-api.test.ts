import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Document, MongoClient, MongoServerError } from 'mongodb'
import { embeddedTarget, type Target } from './support/target.ts'

let target: Target
let client: MongoClient
before(async () => {
  target = await embeddedTarget()
  client = await MongoClient.connect(target.url)
})
after(async () => {
  await client.close()
  await target[Symbol.asyncDispose]()
})

const codeOf = (command: Document, db = 'api'): Promise<unknown> =>
  client
    .db(db)
    .command(command)
    .then(
      () => 'done',
      error => (error instanceof MongoServerError ? error.code : error),
    )
const version = { apiVersion: '1' }
const strict = { ...version, apiStrict: true }

test('a version other than 1 is refused with 322', async () => {
  assert.equal(await codeOf({ ping: 1, apiVersion: '2' }), 322)
  assert.equal(await codeOf({ ping: 1, apiVersion: '' }), 322)
  assert.equal(await codeOf({ ping: 1, apiVersion: 1 }), 14)
  assert.equal(await codeOf({ ping: 1, ...version }), 'done')
})

test('apiStrict and apiDeprecationErrors need a version', async () => {
  assert.equal(await codeOf({ ping: 1, apiStrict: true }), 4886600)
  assert.equal(await codeOf({ ping: 1, apiDeprecationErrors: true }), 4886600)
  assert.equal(await codeOf({ ping: 1, apiStrict: 'yes', ...version }), 14)
  assert.equal(await codeOf({ ping: 1, apiStrict: false }), 'done')
  assert.equal(await codeOf({ ping: 1, ...strict, apiDeprecationErrors: true }), 'done')
})

test('with apiStrict, what is outside of version 1 is refused with 323', async () => {
  const outside: Document[] = [
    { distinct: 'c', key: 'a' },
    { buildInfo: 1 },
    { connectionStatus: 1 },
    { isMaster: 1 },
    { find: 'c', tailable: false },
    { find: 'c', min: { a: 1 } },
    { create: 'c', capped: false },
    { createIndexes: 'c', indexes: [{ key: { a: 'text' }, name: 'a' }] },
    { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a', sparse: true }] },
  ]
  for (const command of outside) assert.equal(await codeOf({ ...command, ...strict }), 323, JSON.stringify(command))
  assert.equal(await codeOf({ distinct: 'c', key: 'a', ...version }), 'done')
  assert.equal(await codeOf({ nope: 1, ...strict }), 59)
})

test("the driver's strict mode works for all that version 1 has", async () => {
  const serverApi = { version: '1', strict: true, deprecationErrors: true } as const
  const own = await MongoClient.connect(target.url, { serverApi })
  try {
    const rows = own.db('api').collection<{ _id: number; n: number }>('rows')
    await rows.createIndex({ n: 1 }, { unique: true })
    await rows.insertMany([1, 2, 3].map(n => ({ _id: n, n })))
    await rows.updateOne({ _id: 1 }, { $inc: { n: 10 } })
    await rows.findOneAndUpdate({ _id: 2 }, [{ $set: { n: 20 } }])
    await rows.deleteOne({ _id: 3 })
    assert.deepEqual(await rows.find({}, { batchSize: 1 }).sort({ n: 1 }).toArray(), [
      { _id: 1, n: 11 },
      { _id: 2, n: 20 },
    ])
    assert.deepEqual(await rows.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }]).toArray(), [
      { _id: null, n: 31 },
    ])
    assert.equal(await rows.countDocuments(), 2)
    assert.equal(await rows.estimatedDocumentCount(), 2)
    assert.equal((await rows.indexes()).length, 2)
    assert.ok((await own.db('api').listCollections().toArray()).length > 0)
    await assert.rejects(rows.distinct('n'), { code: 323 })
    await rows.drop()
  } finally {
    await own.close()
  }
})
