import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type DocumentServer, startDocumentServer } from '@tsmicro/document-server'
import type { Document } from 'bson'
import { MongoClient } from 'mongodb'
import { commands } from '../src/commands/dispatch.ts'
import { outcome, spawnMain, startProcess } from './support/process.ts'
import { temporaryDir } from './support/target.ts'
import { firstMessage, opMsg, opQuery, Wire } from './support/wire.ts'

let dir: Awaited<ReturnType<typeof temporaryDir>>
let server: DocumentServer
const passwordOf = (url: string) => decodeURIComponent(new URL(url).password)
before(async () => {
  dir = await temporaryDir()
  server = await startDocumentServer({ dir: dir.path, durability: 'process' })
})
after(async () => {
  await server.close()
  await dir[Symbol.asyncDispose]()
})

const open = [
  'hello',
  'isMaster',
  'ismaster',
  'ping',
  'buildInfo',
  'buildinfo',
  'saslStart',
  'saslContinue',
  'logout',
  'connectionStatus',
]

test('before signing in, every command except the handshake is refused and changes nothing', async () => {
  using wire = new Wire(server.url)
  for (const name of Object.keys(commands)) {
    const reply = await wire.ask({ [name]: 'secret', $db: 'admin' })
    if (open.includes(name)) assert.notEqual(reply?.code, 13, name)
    else assert.deepEqual([reply?.ok, reply?.code, reply?.codeName], [0, 13, 'Unauthorized'], name)
    if (wire.ended) break
  }
  using fresh = new Wire(server.url)
  for (const name of ['hello', 'ping', 'buildInfo']) assert.equal((await fresh.ask({ [name]: 1 }))?.ok, 1)
  const status = await fresh.ask({ connectionStatus: 1 })
  assert.deepEqual(status?.authInfo.authenticatedUsers, [])
  await using client = await MongoClient.connect(server.url)
  assert.equal((await client.db('admin').listCollections().toArray()).length, 0)
})

test('the official driver signs in, with any database in its URL, but not with a wrong password or another mechanism', async () => {
  const credentials = `app:${passwordOf(server.url)}`
  const place = server.address.slice('mongodb://'.length)
  for (const url of [
    server.url,
    `${server.url}/blog`,
    `${server.url}/?authSource=admin`,
    `mongodb://${credentials}@${place}/blog?authSource=other&authMechanism=SCRAM-SHA-256`,
  ]) {
    await using client = await MongoClient.connect(url)
    await client.db('a').collection<Document>('signed').insertOne({ url: 1 })
  }
  for (const [url, code] of [
    [`mongodb://app:wrong@${place}`, 18],
    [`mongodb://nobody:wrong@${place}`, 18],
    [`mongodb://${place}`, 13],
    [`mongodb://${credentials}@${place}/?authMechanism=SCRAM-SHA-1`, 334],
  ] as const) {
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 2000 })
    await assert.rejects(client.db('a').collection('signed').findOne(), { code }, url)
    await client.close()
  }
})

test('the long exchange works, logout signs out, and the legacy handshake can begin to sign in', async () => {
  using wire = new Wire(server.url)
  const proven = await wire.signIn('app', passwordOf(server.url), {})
  assert.equal(proven?.done, false)
  assert.equal((await wire.ask({ find: 'c' }))?.code, 13)
  const last = await wire.ask({ saslContinue: 1, conversationId: 1, payload: Buffer.alloc(0), $db: 'admin' })
  assert.deepEqual([last?.done, last?.ok], [true, 1])
  assert.equal((await wire.ask({ find: 'c' }))?.ok, 1)
  assert.equal((await wire.ask({ logout: 1 }))?.ok, 1)
  assert.equal((await wire.ask({ find: 'c' }))?.code, 13)
  const attempt = { saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: firstMessage('app').payload, db: 'admin' }
  wire.socket.write(opQuery({ ismaster: 1, saslSupportedMechs: 'admin.app', speculativeAuthenticate: attempt }))
  const hello = await wire.next()
  assert.deepEqual(hello?.saslSupportedMechs, ['SCRAM-SHA-256'])
  assert.match(Buffer.from(hello?.speculativeAuthenticate.payload.value()).toString(), /^r=/)
})

test('an unknown user always looks like a wrong password, even after a restart', async () => {
  const salts = async (url: string) => {
    const told: string[] = []
    for (const user of ['app', 'nobody', 'other', 'nobody']) {
      using wire = new Wire(url)
      wire.socket.write(opQuery({ ismaster: 1, saslSupportedMechs: `admin.${user}` }))
      assert.deepEqual((await wire.next())?.saslSupportedMechs, ['SCRAM-SHA-256'])
      const { payload } = firstMessage(user)
      const begun = await wire.ask({ saslStart: 1, mechanism: 'SCRAM-SHA-256', payload })
      const [, salt = '', rounds] = /,s=([^,]*),i=(\d+)$/.exec(Buffer.from(begun?.payload.value()).toString()) ?? []
      told.push(`${salt} ${rounds}`)
    }
    return told
  }
  await using own = await temporaryDir()
  const one = await startDocumentServer({ dir: own.path })
  const before = await salts(one.url)
  await one.close()
  await using two = await startDocumentServer({ dir: own.path })
  assert.deepEqual(await salts(two.url), before)
  assert.equal(new Set(before).size, 3)
  assert.equal(new Set(before.map(text => text.length)).size, 1)
  const refusals = await Promise.all(
    ['app', 'nobody'].map(async user => {
      using wire = new Wire(server.url)
      return await wire.signIn(user, 'wrong')
    }),
  )
  assert.deepEqual(refusals[0], refusals[1])
  assert.equal(refusals[0]?.code, 18)
})

test('messages out of order do not sign in, and a connection has few attempts', async () => {
  using wire = new Wire(server.url)
  const proceed = { saslContinue: 1, conversationId: 1, payload: Buffer.from('v=x') }
  assert.equal((await wire.ask(proceed))?.code, 18)
  const { payload } = firstMessage('app')
  await wire.ask({ saslStart: 1, mechanism: 'SCRAM-SHA-256', payload })
  // The server's own message does not prove anything, and an attempt cannot be continued twice.
  for (let attempt = 0; attempt < 4; attempt++) assert.equal((await wire.ask(proceed))?.code, 18)
  await wire.closed
  assert.ok(wire.ended)
})

test('before signing in, a message longer than any handshake ends the connection', async () => {
  using wire = new Wire(server.url)
  wire.socket.write(opMsg({ ping: 1, $db: 'a', comment: 'x'.repeat(70_000) }))
  assert.equal(await wire.next(), undefined)
  using known = await Wire.signedIn(server.url)
  assert.equal((await known.ask({ ping: 1, comment: 'x'.repeat(70_000) }))?.ok, 1)
})

test('only its owner can read the folder, and the stored value is not the password', async () => {
  await using client = await MongoClient.connect(server.url)
  await client.db('a').collection('c').insertOne({})
  const password = passwordOf(server.url)
  assert.equal(await readFile(join(dir.path, 'password'), 'utf8'), password)
  for (const name of await readdir(dir.path)) {
    const file = join(dir.path, name)
    assert.equal((await stat(file)).mode & 0o077, 0, name)
    if (name !== 'password') assert.equal((await readFile(file)).includes(password), false, name)
  }
})

test('the password comes from the environment or a file of mode 600, and may change between starts', async () => {
  await using own = await temporaryDir()
  const file = join(own.path, 'secret')
  await writeFile(file, 'from the file\n', { mode: 0o600 })
  await chmod(file, 0o644)
  const data = join(own.path, 'data')
  const refused = await outcome(spawnMain(['--dir', data, '--port', '0', '--password-file', file]))
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /^document-server: the password file .* is open to others: chmod 600 .*\n$/)
  await chmod(file, 0o600)
  for (const [password, start] of [
    ['from the file', () => startProcess(data, ['--password-file', file, '--user', 'me'])],
    ['from:the/env', () => startProcess(data, ['--user', 'me'], { DOCUMENT_SERVER_PASSWORD: 'from:the/env' })],
  ] as const) {
    await using started = await start()
    await using client = await MongoClient.connect(
      started.address.replace('//', `//me:${encodeURIComponent(password)}@`),
    )
    await client.db('a').collection('c').insertOne({ password: 1 })
    assert.ok(!started.lines.join().includes(password))
  }
  await assert.rejects(startDocumentServer({ dir: data, password: 'smörgås' }), /printable ASCII/)
})
