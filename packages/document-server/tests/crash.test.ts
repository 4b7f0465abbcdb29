import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Collection, MongoClient } from 'mongodb'
import { end, startOnSmallDisk, startProcess } from './support/process.ts'
import { smallDisk } from './support/small-disk.ts'
import { temporaryDir } from './support/target.ts'

interface Entry {
  _id: string
  n: number
}

/** Writes until the connection breaks, and returns what was acknowledged. */
async function write(collection: Collection<Entry>, writer: number, acknowledged: Map<string, number>): Promise<void> {
  try {
    for (let round = 0; ; round++) {
      const _id = `${writer}-${round}`
      await collection.insertOne({ _id, n: 0 })
      acknowledged.set(_id, 0)
      await collection.updateOne({ _id }, { $set: { n: round } })
      acknowledged.set(_id, round)
      const batch = [1, 2, 3].map(part => ({ _id: `${_id}-${part}`, n: part }))
      await collection.insertMany(batch)
      for (const entry of batch) acknowledged.set(entry._id, entry.n)
    }
  } catch {
    // the server has been killed
  }
}

for (const durability of ['full', 'process'])
  test(`kill -9 during concurrent writes loses no acknowledged write (${durability})`, async () => {
    await using dir = await temporaryDir()
    const acknowledged = new Map<string, number>()
    for (let round = 0; round < 2; round++) {
      await using server = await startProcess(dir.path, ['--durability', durability])
      const client = new MongoClient(server.url, { serverSelectionTimeoutMS: 1000 })
      const collection = client.db('crash').collection<Entry>('entries')
      await collection.createIndex({ n: 1 })
      const before = acknowledged.size
      const writers = Array.from({ length: 8 }, (_, n) => write(collection, round * 100 + n, acknowledged))
      while (acknowledged.size < before + 250) await new Promise(done => setTimeout(done, 5))
      await end(server.child, 'SIGKILL')
      await Promise.all(writers)
      await client.close()
    }
    await using server = await startProcess(dir.path, ['--durability', durability])
    const client = new MongoClient(server.url)
    const collection = client.db('crash').collection<Entry>('entries')
    const stored = new Map((await collection.find().toArray()).map(entry => [entry._id, entry.n]))
    const lost = [...acknowledged].filter(([_id, n]) => {
      const found = stored.get(_id)
      // The update in progress when the server died may have been applied without being acknowledged.
      return found === undefined || (found !== n && n !== 0)
    })
    assert.deepEqual(lost, [])
    // The index matches the documents.
    const scanned = [...stored.values()].filter(n => n === 1).length
    assert.equal(await collection.countDocuments({ n: 1 }), scanned)
    await client.close()
  })

test('on a full disk, writes are refused, acknowledged ones are kept, and reading still works', async () => {
  await using dir = await temporaryDir()
  await using server = await startOnSmallDisk(dir.path)
  const client = new MongoClient(server.url)
  const collection = client.db('full').collection<{ _id: number; text: string }>('entries')
  const acknowledged: number[] = []
  let refused = 0
  for (let round = 0; round < 30; round++) {
    const group = Array.from({ length: 10 }, (_, n) => ({ _id: round * 10 + n, text: 'x'.repeat(20_000) }))
    await Promise.all(
      group.map(entry =>
        collection.insertOne(entry).then(
          () => acknowledged.push(entry._id),
          error => {
            assert.equal(error.code, 14031, error.message)
            refused++
          },
        ),
      ),
    )
  }
  assert.ok(refused > 0 && acknowledged.length > 0)
  const stored = await collection.distinct('_id')
  assert.deepEqual(
    stored,
    acknowledged.sort((a, b) => a - b),
  )
  await client.close()
})

const disk = smallDisk(6)
after(() => typeof disk !== 'string' && disk[Symbol.dispose]())

test('on a disk without room, every write fails with 14031, nothing is half written and reading works, until there is room again', {
  skip: typeof disk === 'string' && disk,
}, async () => {
  if (typeof disk === 'string') return
  const ballast = join(disk.path, 'ballast')
  await writeFile(ballast, Buffer.alloc(4_500_000))
  await using server = await startProcess(join(disk.path, 'data'))
  await using client = await MongoClient.connect(server.url)
  const collection = client.db('full').collection<{ _id: number; n: number; text: string }>('entries')
  await collection.createIndex({ n: 1 }, { unique: true })
  const text = 'x'.repeat(20_000)
  let stored = 0
  const insert = (_id: number) => collection.insertOne({ _id, n: _id, text })
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 0,
      error => error.code,
    )
  while ((await code(insert(stored))) === 0) stored++
  assert.ok(stored > 5)
  // Every command stores all of its changes or none.
  const many = Array.from({ length: 50 }, (_, n) => ({ _id: 1000 + n, n: 1000 + n, text }))
  const grow = { $set: { text: text.repeat(3) } }
  const writes = [
    () => insert(500),
    () => collection.insertMany(many),
    () => collection.insertMany(many, { ordered: false }),
    () => collection.updateMany({}, grow),
    () => collection.findOneAndUpdate({ _id: 0 }, { $set: { text: text.repeat(200) } }),
    () => collection.updateOne({ _id: 900 }, { $set: { n: 900, text: text.repeat(200) } }, { upsert: true }),
  ]
  for (const write of writes) {
    assert.equal(await code(write()), 14031, String(write))
    assert.equal(await collection.countDocuments({}), stored, String(write))
    assert.equal(await collection.countDocuments({ text }), stored, String(write))
  }
  await rm(ballast)
  assert.equal((await collection.insertMany(many.slice(0, 20))).insertedCount, 20)
  assert.equal((await collection.updateOne({ _id: 0 }, grow)).modifiedCount, 1)
  await end(server.child, 'SIGKILL')
  await using again = await startProcess(join(disk.path, 'data'))
  await using reader = await MongoClient.connect(again.url)
  assert.equal(
    await reader
      .db('full')
      .collection('entries')
      .countDocuments({ n: { $gte: 0 } }),
    stored + 20,
  )
})
