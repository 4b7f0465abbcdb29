import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import { ObjectId } from 'mongodb'
import { CursorError, createMongo } from './index.ts'
import type { Order } from './types.ts'

interface Row {
  _id: ObjectId
  n: number
  group?: string | null
  at?: Date
}

const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const mongo = createMongo({ url: server.url, database: `paging_${randomUUID().slice(0, 8)}` })
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

const orders: Order<Row>[] = [
  {},
  { n: 1 },
  { n: -1 },
  { group: 1 },
  { group: -1 },
  { at: -1, n: 1 },
  { group: 1, at: -1 },
  { _id: -1 },
]
for (const sort of orders) {
  test(`walking by cursor sees everything once, in order: ${JSON.stringify(sort)}`, async () => {
    const order = '_id' in sort ? sort : { ...sort, _id: Object.values(sort).at(-1) ?? 1 }
    const expected = (await rows.find({}, { sort: order as Order<Row> })).map(row => String(row._id))
    for (const limit of [1, 10, 36, 37, 100]) {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const slice: { items: { _id: unknown }[]; nextCursor: string | null } = await rows.findAfter({
          filter: {},
          sort,
          cursor,
          limit,
          select: ['n'],
        })
        for (const item of slice.items) assert.deepEqual(Object.keys(item).sort(), ['_id', 'n'])
        seen.push(...slice.items.map(item => String(item._id)))
        cursor = slice.nextCursor
        assert.ok(seen.length <= count)
      } while (cursor !== null)
      assert.deepEqual(seen, expected, `limit ${limit}`)
    }
  })
}

test('documents that come and go do not disturb a walk', async () => {
  const walk = mongo.collection<Row>('walk')
  for (let n = 0; n < 20; n++) await walk.insertOne({ _id: new ObjectId(), n: n * 10 })
  const first = await walk.findAfter({ filter: {}, sort: { n: 1 }, limit: 10 })
  await walk.insertOne({ _id: new ObjectId(), n: 5 })
  await walk.deleteOne({ n: 20 })
  await walk.insertOne({ _id: new ObjectId(), n: 105 })
  const second = await walk.findAfter({ filter: {}, sort: { n: 1 }, cursor: first.nextCursor, limit: 3 })
  assert.deepEqual(
    second.items.map(item => item.n),
    [100, 105, 110],
  )
})

test('the filter holds on every page', async () => {
  const filter = { n: { $lt: 30 } }
  const first = await rows.findAfter({ filter, sort: { n: -1 }, limit: 20 })
  const second = await rows.findAfter({ filter, sort: { n: -1 }, limit: 20, cursor: first.nextCursor })
  assert.deepEqual(
    [...first.items, ...second.items].map(item => item.n),
    Array.from({ length: 30 }, (_, n) => 29 - n),
  )
  assert.equal(second.nextCursor, null)
})

test('what is no cursor of this list is refused', async () => {
  const { nextCursor } = await rows.findAfter({ filter: {}, sort: { n: 1 }, limit: 2 })
  assert.match(nextCursor ?? '', /^[\w-]+$/)
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const bad = [
    'x',
    '!!!',
    '....',
    'x'.repeat(5000),
    encode({}),
    encode(null),
    encode([]),
    encode(['+n+_id', 1]),
    encode(['+n+_id', 1, 2, 3]),
    encode(['+n+_id', { $ne: null }, 1]),
    encode(['+n+_id', [1], 1]),
    encode(['+n+_id', { $gt: '' }, { $gt: '' }]),
    encode(['+n+_id', { $regularExpression: { pattern: '.*', options: '' } }, 1]),
    encode(['+n+_id', { $date: 'nonsense' }, 1]),
    encode(['+n+_id', { $code: 'x' }, 1]),
    `${nextCursor}x`,
    (nextCursor ?? '').slice(2),
  ]
  for (const cursor of bad) {
    await assert.rejects(rows.findAfter({ filter: {}, sort: { n: 1 }, limit: 2, cursor }), (error: Error) => {
      assert.ok(error instanceof CursorError, `${cursor}: ${error}`)
      assert.equal(error.message, 'this is no cursor of this list')
      return true
    })
  }
  await assert.rejects(rows.findAfter({ filter: {}, sort: { n: -1 }, limit: 2, cursor: nextCursor }), CursorError)
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
