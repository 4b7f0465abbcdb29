import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MongoClient } from 'mongodb'
import { type Server, startDocuments } from '../src/index.ts'
import { tempDir } from './support/temp.ts'

async function withNotes<T>(
  server: Server,
  work: (notes: ReturnType<ReturnType<MongoClient['db']>['collection']>) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(`${server.url}/infra`, { serverSelectionTimeoutMS: 5000 })
  try {
    return await work(client.db().collection('notes'))
  } finally {
    await client.close()
  }
}

test('what was acknowledged survives kill -9, a restart and a new start', async () => {
  using dir = tempDir()
  {
    await using server = await startDocuments({ dataDir: dir.path })
    await withNotes(server, notes => notes.insertOne({ text: 'one' }))
    server.kill('SIGKILL')
    await server.restart()
    await withNotes(server, notes => notes.insertOne({ text: 'two' }))
  }
  await using again = await startDocuments({ dataDir: dir.path })
  assert.equal(await withNotes(again, notes => notes.countDocuments()), 2)
})

test('two ephemeral ones share nothing', async () => {
  await using one = await startDocuments({ ephemeral: true })
  await using two = await startDocuments()
  await withNotes(one, notes => notes.insertOne({ text: 'here' }))
  assert.equal(await withNotes(two, notes => notes.countDocuments()), 0)
})
