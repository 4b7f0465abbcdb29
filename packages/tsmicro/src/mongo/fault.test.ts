import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isAlive, startDocuments } from '@tsmicro/infra'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE, unusableIn } from '../errors/index.ts'
import { createMongo, type Mongo } from './index.ts'

interface Row {
  _id: number
}

const server = await startDocuments({ ephemeral: true })
const mongo = createMongo({ url: server.url, database: 'fault' })
const rows = mongo.collection<Row>('rows')
await mongo.connect()
after(async () => {
  await mongo.close()
  await server.stop()
})

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    if (await condition()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.fail('the condition did not come true')
}

const usable = () =>
  mongo.check().then(
    () => true,
    () => false,
  )

test('a server that refuses the password is unavailable, and reported immediately as permanent', async () => {
  const wrong = new URL(server.url)
  wrong.password = 'wrong'
  const attempts = [(refused: Mongo) => refused.connect(), (refused: Mongo) => refused.collection<Row>('rows').find({})]
  for (const attempt of attempts) {
    const refused = createMongo({ url: wrong.href, database: 'fault' })
    await assert.rejects(attempt(refused), (error: unknown) => {
      assert.ok(error instanceof SERVICE_UNAVAILABLE, String(error))
      assert.match(
        unusableIn(error)?.message ?? '',
        /^MongoDB: Authentication failed.*: check user, password and authSource/,
      )
      return true
    })
    await refused.close()
  }
})

test('a URL without a user, or with a missing certificate, fails the start', async () => {
  const open = new URL(server.url)
  open.username = ''
  open.password = ''
  const cases: [url: string, expected: RegExp][] = [
    [open.href, /^MongoDB: .*authenticat.*: name a user in its URL, .* may use the database "fault"/],
    [`${server.url}/?tls=true&tlsCAFile=/nowhere.pem`, /^MongoDB: ENOENT.*: check tls, tlsCAFile/],
  ]
  for (const [url, expected] of cases) {
    const refused = createMongo({ url, database: 'fault' })
    await assert.rejects(refused.connect(), (error: unknown) => {
      assert.match(unusableIn(error)?.message ?? String(error), expected)
      return true
    })
    await refused.close()
  }
})

test('kill -9 under load: unavailable, nothing acknowledged is lost, recovers by itself', async () => {
  const acknowledged: number[] = []
  const strange: unknown[] = []
  let refused = 0
  let next = 1
  let going = true
  const worker = async () => {
    while (going) {
      const _id = next++
      try {
        await rows.insertOne({ _id })
        acknowledged.push(_id)
        await rows.findOne({ _id })
      } catch (error) {
        if (error instanceof SERVICE_UNAVAILABLE) refused++
        else strange.push(error)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
  }
  const workers = Array.from({ length: 8 }, worker)
  await until(() => acknowledged.length > 100)
  server.kill('SIGKILL')
  await until(() => refused > 8)
  await assert.rejects(mongo.check(), SERVICE_UNAVAILABLE)
  await server.restart()
  await until(usable)
  const before = acknowledged.length
  await until(() => acknowledged.length > before + 50)
  going = false
  await Promise.all(workers)
  assert.deepEqual(strange, [])
  const found = new Set((await rows.find({})).map(row => row._id))
  assert.deepEqual(
    acknowledged.filter(id => !found.has(id)),
    [],
  )
})

test('operations that begin in any turn of the event loop around the loss of the server end, and no connection is lost', async () => {
  const pending = new Set<number>()
  let begun = 0
  const begin = () => {
    const id = ++begun
    pending.add(id)
    const change = rows.findOneAndUpdate({ _id: -id }, { $set: {} }, { upsert: true })
    change.catch(() => undefined).finally(() => pending.delete(id))
  }
  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: 8 }, () => rows.findOne({ _id: 1 })))
    const { pid = 0 } = server
    server.kill('SIGKILL')
    try {
      // Before anything else, because all events of the connections come in later turns.
      while (isAlive(pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      for (let turn = 0; turn < 10; turn++) {
        begin()
        await new Promise(setImmediate)
      }
      await until(() => pending.size === 0)
    } finally {
      await server.restart()
    }
    await until(usable)
  }
  const readers = await Promise.allSettled(Array.from({ length: 40 }, () => rows.findOne({ _id: 1 })))
  assert.ok(readers.every(({ status }) => status === 'fulfilled'))
})

test('a hanging server is detected, operations end at their deadline, and the server is used again later', async () => {
  await using impatient = Object.assign(
    createMongo({ url: `${server.url}/?retryReads=false`, database: 'fault', operationTimeoutMs: 200 }),
    {
      [Symbol.asyncDispose]: () => impatient.close(),
    },
  )
  await impatient.connect()
  server.kill('SIGSTOP')
  try {
    await assert.rejects(mongo.check(), SERVICE_UNAVAILABLE)
    await assert.rejects(
      impatient.collection<Row>('rows').findOne({ _id: 1 }),
      error => error instanceof DEADLINE_EXCEEDED || error instanceof SERVICE_UNAVAILABLE,
    )
  } finally {
    server.kill('SIGCONT')
  }
  await until(usable)
  assert.ok(await rows.count({}))
})
