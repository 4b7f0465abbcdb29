import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { startDocumentServer } from '@tsmicro/document-server'
import { MongoClient } from 'mongodb'
import { end, outcome, spawnMain, startProcess } from './support/process.ts'
import { temporaryDir } from './support/target.ts'

describe('main.ts and its options', { concurrency: true }, () => {
  test('the process prints one line, keeps its data across restarts, and ends on SIGTERM and SIGINT', async () => {
    await using dir = await temporaryDir()
    for (const [round, signal] of (['SIGTERM', 'SIGINT'] as const).entries()) {
      await using server = await startProcess(dir.path)
      const client = new MongoClient(server.url)
      const collection = client.db('a').collection('c')
      assert.equal(await collection.countDocuments({}), round)
      await collection.createIndex({ n: 1 }, { unique: true })
      await collection.insertOne({ n: round })
      await assert.rejects(collection.insertOne({ n: round }), { code: 11000 })
      await end(server.child, signal)
      assert.equal(server.child.exitCode, 0)
      assert.deepEqual(server.lines, [
        `document-server ready on ${server.address}: user app, password in ${dir.path}/password`,
      ])
      await client.close()
    }
  })

  test('a server goes on if nobody reads its output', async () => {
    await using dir = await temporaryDir()
    await using server = await startProcess(dir.path)
    server.child.stdout?.destroy()
    server.child.stderr?.destroy()
    await using client = await MongoClient.connect(server.url)
    for (let n = 0; n < 3; n++) await client.db('a').collection('c').insertOne({ n })
    assert.equal(server.child.exitCode, null)
  })

  test('a directory in use is refused in one line', async () => {
    await using dir = await temporaryDir()
    await using server = await startDocumentServer({ dir: dir.path })
    const [{ code, stdout, stderr }] = await Promise.all([
      outcome(spawnMain(['--dir', dir.path, '--port', '0'])),
      assert.rejects(startDocumentServer({ dir: dir.path }), /is in use/),
    ])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^document-server: the directory .* is in use by another document server: .*\n$/)
    await server.close()
    const again = await startDocumentServer({ dir: dir.path })
    await again.close()
  })

  test('a taken port is refused in one line, and the directory is released', async () => {
    await using dir = await temporaryDir()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { code, stderr } = await outcome(spawnMain(['--dir', dir.path, '--port', String(port)]))
    assert.equal(code, 1)
    assert.match(stderr, /^document-server: port \d+ on 127\.0\.0\.1 is taken by another program: .*\n$/)
    await assert.rejects(startDocumentServer({ dir: dir.path, port }), /is taken/)
    await using server = await startDocumentServer({ dir: dir.path })
    assert.equal(server.address, `mongodb://127.0.0.1:${server.port}`)
    other.close()
  })

  test('--help explains the options, and unknown and invalid ones are refused', async () => {
    const help = await outcome(spawnMain(['--help']))
    assert.equal(help.code, 0)
    assert.match(help.stdout, /--durability/)
    const wrong = [
      ['--bogus'],
      [],
      ['--dir', 'x', '--port', 'x'],
      ['--dir', 'x', '--durability', 'x'],
      ['--dir', 'x', '--tls-cert', 'x'],
    ]
    for (const { code, stderr } of await Promise.all(wrong.map(args => outcome(spawnMain(args))))) {
      assert.equal(code, 1)
      assert.match(stderr, /^document-server: .*\n$/)
    }
  })
})
