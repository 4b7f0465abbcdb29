// CI alone: mongo-services.test.ts kills both servers by hand.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startDocuments } from '@tsmicro/infra'
import { createMongo } from 'tsmicro/mongo'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'
import { until } from '../support/until.ts'
import { storedEvent } from './outbox-suite.ts'

interface Thing {
  _id: string
  numbers: string[]
  changes?: number
}

const PROGRAM = fileURLToPath(new URL('mongo-process.ts', import.meta.url))
const server = await startDocuments({ ephemeral: true })
const children = new Set<ChildProcess>()
const folder = await mkdtemp(join(tmpdir(), 'mongo-killed-'))
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await server.stop()
  await rm(folder, { recursive: true })
})

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: 'inherit' })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function opened() {
  const mongo = createMongo({ url: server.url, database: `killed_${randomUUID().slice(0, 8)}`, ...PATIENT_MONGO })
  await mongo.connect()
  after(() => mongo.close())
  const things = mongo.collection<Thing>('things', { aggregate: 'thing' })
  const store = mongo.outboxStore()
  await store.prepare()
  await mongo.inboxStore().prepare()
  return { mongo, things, store }
}

const KILLS = process.env.CI ? 60 : 6

test(`relays and the server are killed ${KILLS} times: every committed change is sent, in order, and nothing else`, async () => {
  const { mongo, things, store } = await opened()
  const file = join(folder, 'stream')
  await writeFile(file, '')
  const relays = [0, 1].map(() => start('relay', server.url, mongo.db.databaseName, file))
  const ids = Array.from({ length: 5 }, () => randomUUID())
  const committed = new Set<string>()
  let stop = false
  const changing = ids.map(async _id => {
    for (let n = 1; !stop; n++) {
      const data = `${_id} ${n}`
      await mongo
        .change(async change => {
          await store.add(change, storedEvent(_id, { data }), { restart: false })
          await things.updateOne({ _id }, { $push: { numbers: data } }, { upsert: true, change })
        })
        .then(
          () => committed.add(data),
          () => {},
        )
    }
  })
  for (let n = 0; n < KILLS; n++) {
    const enough = committed.size + Math.random() * 60
    await until('more are committed', () => committed.size > enough)
    if (n % 3 === 2) {
      server.kill('SIGKILL')
      await server.restart()
    } else {
      const [killed] = relays.splice(0, 1)
      if (killed) await kill(killed)
      relays.push(start('relay', server.url, mongo.db.databaseName, file))
    }
  }
  stop = true
  await Promise.all(changing)
  await until('all are sent', async () => (await store.depth()).pending === 0)
  await Promise.all(relays.map(kill))

  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  const sent = lines.map(
    line => JSON.parse(line) as { id: string; aggregateId: string; sequence: number; data: string },
  )
  for (const _id of ids) {
    const first = new Map<number, string>()
    for (const each of sent.filter(each => each.aggregateId === _id)) {
      if (!first.has(each.sequence)) {
        assert.equal(each.sequence, first.size + 1, 'sent before its predecessor')
        first.set(each.sequence, each.data)
      }
      assert.equal(first.get(each.sequence), each.data, 'two events with the same number')
    }
    // What the document says was changed, in this order, was announced: exactly that.
    assert.deepEqual([...first.values()], (await things.findOne({ _id }))?.numbers)
    const values = new Set(first.values())
    assert.deepEqual(
      [...committed].filter(data => data.startsWith(_id) && !values.has(data)),
      [],
    )
  }
})

test(`consumers and the server are killed ${KILLS} times: every event has its effects once, in order`, async () => {
  const { mongo, things } = await opened()
  const ids = Array.from({ length: 4 }, () => randomUUID())
  const consume = () => start('consume', server.url, mongo.db.databaseName, ...ids)
  const consumers = [consume(), consume()]
  const done = async () => (await things.findOne({ _id: 'all' }).catch(() => null))?.numbers.length ?? 0
  for (let n = 0; n < KILLS; n++) {
    const enough = (await done()) + Math.random() * 40
    await until('more are handled', async () => (await done()) > enough)
    if (n % 3 === 2) {
      server.kill('SIGKILL')
      await server.restart()
    } else {
      const [killed] = consumers.splice(0, 1)
      if (killed) await kill(killed)
      consumers.push(consume())
    }
  }
  const before = await done()
  await until('some more are handled', async () => (await done()) > before)
  await Promise.all(consumers.map(kill))
  const all = (await things.findOne({ _id: 'all' }))?.numbers ?? []
  for (const _id of ids) {
    const own = (await things.findOne({ _id }))?.numbers ?? []
    assert.deepEqual(
      own,
      own.map((_, index) => `${_id} ${index + 1}`),
    )
    const shared = all.filter(each => each.startsWith(_id))
    assert.deepEqual(shared, own.slice(0, shared.length))
    // The last one was killed between its two documents, at most.
    assert.ok(own.length - shared.length <= 1)
  }
})
