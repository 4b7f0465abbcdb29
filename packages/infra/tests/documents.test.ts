import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MongoClient } from 'mongodb'
import { databaseUrl, type Server, startDocuments } from '../src/index.ts'
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

test('acknowledged writes survive kill -9, a restart and a new start', async () => {
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

test('two ephemeral servers share nothing', async () => {
  await using one = await startDocuments({ ephemeral: true })
  await using two = await startDocuments()
  await withNotes(one, notes => notes.insertOne({ text: 'here' }))
  assert.equal(await withNotes(two, notes => notes.countDocuments()), 0)
})

test('nobody gets an answer without signing in, and the password is stored with the data for its owner alone', async () => {
  using dir = tempDir()
  const urls: string[] = []
  for (let start = 0; start < 2; start++) {
    await using server = await startDocuments({ dataDir: dir.path })
    urls.push(new URL(server.url).password)
    assert.match(server.url, /^mongodb:\/\/app:[\w-]{32}@127\.0\.0\.1:\d+$/)
    const stranger = new MongoClient(server.url.replace(/app:.*@/, ''))
    await assert.rejects(stranger.db('infra').collection('notes').findOne(), { code: 13 })
    await stranger.close()
    const url = databaseUrl(server.url, 'infra')
    for (const each of [url, `${server.url}/infra`, `${server.url}/?retryReads=false`]) {
      const known = new MongoClient(each)
      await known.db('infra').collection('notes').insertOne({})
      await known.close()
    }
    for (const file of readdirSync(dir.path))
      assert.equal(statSync(join(dir.path, file)).mode & 0o077, file === 'server.pid' ? 0o044 : 0, file)
    const told =
      readFileSync(`/proc/${server.pid}/cmdline`, 'utf8') + readFileSync(`/proc/${server.pid}/environ`, 'utf8')
    assert.equal(told.includes(new URL(server.url).password), false)
  }
  assert.equal(urls[0], urls[1])
})

test('databaseUrl keeps what a URL says, and where to look for its user', () => {
  const urls = {
    'mongodb://a': 'mongodb://a/blog',
    'mongodb://a:1/': 'mongodb://a:1/blog',
    'mongodb://u:p@a': 'mongodb://u:p@a/blog?authSource=admin',
    'mongodb://u:p@a,b:2/?replicaSet=r': 'mongodb://u:p@a,b:2/blog?replicaSet=r&authSource=admin',
    'mongodb+srv://u:p@a?authSource=x': 'mongodb+srv://u:p@a/blog?authSource=x',
    'mongodb://u:p@a/own?tls=true': 'mongodb://u:p@a/own?tls=true',
    'no URL': 'no URL',
  }
  for (const [url, expected] of Object.entries(urls)) assert.equal(databaseUrl(url, 'blog'), expected)
})
