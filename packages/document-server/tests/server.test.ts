import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDocumentServer } from '@tsmicro/document-server'
import { type Document, MongoClient } from 'mongodb'
import { temporaryDir } from './support/target.ts'

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 120_000
  while (!(await condition())) {
    assert.ok(performance.now() < end, 'the condition did not come true')
    await sleep(10)
  }
}

test('documents in a TTL index expire, and others stay', async () => {
  await using dir = await temporaryDir()
  await using server = await startDocumentServer({ dir: dir.path, expirySweepMs: 20 })
  const client = new MongoClient(server.url)
  const collection = client.db('a').collection<Document>('ttl')
  await collection.createIndex({ at: 1 }, { expireAfterSeconds: 3600 })
  const hours = (n: number) => new Date(Date.now() + n * 3_600_000)
  await collection.insertMany([
    { name: 'old', at: hours(-2) },
    { name: 'new', at: hours(0) },
    { name: 'text', at: 'long ago' },
    { name: 'none' },
    { name: 'several', at: [hours(5), hours(-2)] },
  ])
  await until(async () => (await collection.countDocuments({})) === 3)
  assert.deepEqual((await collection.distinct('name')).sort(), ['new', 'none', 'text'])
  await client.close()
})

test('an unused cursor is closed', async () => {
  await using dir = await temporaryDir()
  await using server = await startDocumentServer({ dir: dir.path, cursorIdleMs: 20 })
  const client = new MongoClient(server.url)
  const db = client.db('a')
  await db.collection('c').insertMany([{}, {}, {}])
  const { cursor } = await db.command({ find: 'c', batchSize: 1 }, { promoteLongs: false })
  const kept = await db.command({ find: 'c', batchSize: 1, noCursorTimeout: true }, { promoteLongs: false })
  // Reading would keep the cursor in use, so it is read only once, when it has to be closed.
  await sleep(200)
  await assert.rejects(db.command({ getMore: cursor.id, collection: 'c' }), { code: 43 })
  assert.equal((await db.command({ getMore: kept.cursor.id, collection: 'c' })).cursor.nextBatch.length, 2)
  await client.close()
})

test('a cursor on a dropped collection fails, and the end of its session closes a cursor', async () => {
  await using dir = await temporaryDir()
  await using server = await startDocumentServer({ dir: dir.path })
  const client = new MongoClient(server.url)
  const db = client.db('a')
  const documents = Array.from({ length: 1000 }, (_, n) => ({ n }))
  await db.collection('c').insertMany(documents)
  const open = await db.command({ find: 'c', batchSize: 1 }, { promoteLongs: false })
  await db.dropCollection('c')
  await assert.rejects(db.command({ getMore: open.cursor.id, collection: 'c' }), { code: 175 })
  await db.collection('c').insertMany(documents)
  const session = client.startSession()
  const own = await db.command({ find: 'c', batchSize: 1 }, { session, promoteLongs: false })
  await db.command({ endSessions: [session.id] })
  await assert.rejects(db.command({ getMore: own.cursor.id, collection: 'c' }, { session }), { code: 43 })
  await session.endSession()
  await client.close()
})

test('maxTimeMS ends a command, and a writing command leaves no changes', async () => {
  await using dir = await temporaryDir()
  await using server = await startDocumentServer({ dir: dir.path, durability: 'process' })
  const client = new MongoClient(server.url)
  const db = client.db('a')
  const text = 'x'.repeat(2000)
  await db.collection('c').insertMany(Array.from({ length: 5000 }, (_, n) => ({ n, text })))
  await assert.rejects(db.command({ count: 'c', query: { text: 'y' }, maxTimeMS: 1 }), { code: 50 })
  const update = { update: 'c', updates: [{ q: {}, u: { $set: { done: 1 } }, multi: true }], maxTimeMS: 1 }
  const reply: Document = await db.command(update).catch(error => ({ code: error.code }))
  assert.equal(reply.code ?? reply.writeErrors?.[0]?.code, 50)
  assert.equal(await db.collection('c').countDocuments({ done: 1 }), 0)
  await client.close()
})

test('counters and a queue under concurrent clients', async () => {
  await using dir = await temporaryDir()
  await using server = await startDocumentServer({ dir: dir.path })
  const clients = [1, 2, 3].map(() => new MongoClient(server.url))
  const collections = clients.map(client => client.db('a').collection<Document>('c'))
  const [first] = collections
  assert.ok(first)
  await first.insertOne({ name: 'counter', n: 0 })
  await Promise.all(
    Array.from({ length: 300 }, (_, n) => collections[n % 3]?.updateOne({ name: 'counter' }, { $inc: { n: 1 } })),
  )
  assert.equal((await first.findOne({ name: 'counter' }))?.n, 300)
  await first.insertMany(Array.from({ length: 60 }, (_, job) => ({ job })))
  const taken: unknown[] = []
  const worker = async (n: number): Promise<void> => {
    while (true) {
      const job = await collections[n]?.findOneAndUpdate(
        { job: { $exists: true }, by: null },
        { $set: { by: n } },
        { sort: { job: 1 } },
      )
      if (!job) return
      taken.push(job.job)
    }
  }
  await Promise.all([0, 1, 2].map(worker))
  assert.deepEqual(
    taken.map(Number).sort((a, b) => a - b),
    Array.from({ length: 60 }, (_, job) => job),
  )
  await Promise.all(clients.map(client => client.close()))
})

test('close finishes the accepted commands, and can be called twice', async () => {
  await using dir = await temporaryDir()
  await using server = await startDocumentServer({ dir: dir.path })
  await using client = new MongoClient(server.url, { serverSelectionTimeoutMS: 2000 })
  await until(() =>
    client.connect().then(
      () => true,
      () => false,
    ),
  )
  const collection = client.db('a').collection<Document>('c')
  const acknowledged: unknown[] = []
  const writes = Array.from({ length: 200 }, async (_, n) => {
    const result = await collection.insertOne({ n }).catch(() => undefined) // refused once the server is closing
    if (result) acknowledged.push(n)
  })
  await until(async () => acknowledged.length > 20)
  await Promise.all([server.close(), server.close()])
  await Promise.all(writes)
  await client.close()
  await using again = await startDocumentServer({ dir: dir.path })
  const reader = new MongoClient(again.url)
  const stored = new Set(await reader.db('a').collection('c').distinct('n'))
  assert.deepEqual(
    acknowledged.filter(n => !stored.has(n as number)),
    [],
  )
  await reader.close()
})
