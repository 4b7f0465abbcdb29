import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import { ObjectId } from 'mongodb'
import { PATIENT_MONGO } from '../../tests/support/patient-mongo.ts'
import { createMongo } from './index.ts'

interface Row {
  _id: ObjectId
  n: number
  group?: string | null
  at?: Date
}

const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const mongo = createMongo({ url: server.url, database: `paging_${randomUUID().slice(0, 8)}`, ...PATIENT_MONGO })
const rows = mongo.collection<Row>('rows')
const count = 37
await rows.run(collection =>
  collection.insertMany(
    Array.from({ length: count }, (_, n) => ({
      _id: new ObjectId(),
      n,
      ...(n % 5 === 0 ? {} : { group: n % 7 === 0 ? null : `g${n % 3}` }),
      ...(n % 4 === 0 ? {} : { at: new Date(1_700_000_000_000 + (n % 6) * 1000) }),
    })),
  ),
)
after(async () => {
  await mongo.db.dropDatabase()
  await mongo.close()
  await server.stop()
})

test('pages by number', async () => {
  const page = (number: number, limit: number) =>
    rows.findPaginated({ filter: {}, sort: { n: 1 }, page: number, limit })
  const third = await page(3, 15)
  assert.deepEqual({ page: third.page, limit: third.limit }, { page: 3, limit: 15 })
  assert.deepEqual(
    third.items.map(item => item.n),
    Array.from({ length: 7 }, (_, n) => 30 + n),
  )
  assert.deepEqual((await page(4, 20)).items, [])
  for (const [number, limit] of [
    [0, 1],
    [1, 0],
    [1.5, 1],
    [Number.NaN, 1],
  ] as const) {
    await assert.rejects(page(number, limit), RangeError)
  }
})

test('every page has its own documents, in one order, even if the sort fields are equal', async () => {
  for (const sort of [{}, { n: -1 }, { group: 1 }, { group: -1 }, { at: -1, n: 1 }, { _id: -1 }] as const) {
    const seen: string[] = []
    for (let page = 1; page <= 5; page++) {
      const { items } = await rows.findPaginated({ filter: { n: { $lt: 30 } }, sort, page, limit: 8, select: ['n'] })
      for (const item of items) assert.deepEqual(Object.keys(item).sort(), ['_id', 'n'])
      seen.push(...items.map(item => String(item._id)))
    }
    assert.equal(seen.length, 30, JSON.stringify(sort))
    assert.equal(new Set(seen).size, 30, JSON.stringify(sort))
  }
})
