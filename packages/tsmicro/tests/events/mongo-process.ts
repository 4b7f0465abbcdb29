/**
 * A process that a test kills, on the database of a URL. `relay FILE`: sends events to a stream that is a file. `consume ID…`: handles the
 * events 1, 2, 3 … of these aggregates, each of which changes a document of its own and one of all.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { createMongo } from 'tsmicro/mongo'
import type { NumberedEvent } from '../../src/stores/index.ts'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'

interface Thing {
  _id: string
  numbers: string[]
}

const [mode, url = '', database = '', ...rest] = process.argv.slice(2)
const mongo = createMongo({ url, database, ...PATIENT_MONGO })
const things = mongo.collection<Thing>('things', { aggregate: 'thing' })

async function relay(file: string): Promise<void> {
  const store = mongo.outboxStore()
  let last = readFileSync(file, 'utf8').split('\n').length - 1
  const send = async (events: readonly NumberedEvent[]) =>
    events.map(({ id, aggregateId, sequence, data }) => {
      appendFileSync(file, `${JSON.stringify({ id, aggregateId, sequence, data })}\n`)
      return ++last
    })
  for (;;) await store.relay(send, 7).catch(() => {})
}

async function consume(ids: readonly string[]): Promise<void> {
  const inbox = mongo.inboxStore()
  const handleNext = async (aggregateId: string) => {
    const key = { consumer: 'blog.things', type: 'source', aggregateId }
    const [from = 0] = await inbox.read([key])
    const event = {}
    inbox.begin(event, { ...key, from, to: from + 1 })
    const change = { $push: { numbers: `${aggregateId} ${from + 1}` } }
    await things.updateOne({ _id: aggregateId }, change, { upsert: true, event })
    await things.updateOne({ _id: 'all' }, change, { upsert: true, event })
    await inbox.end(event, true)
  }
  await Promise.all(
    ids.map(async id => {
      for (;;) await handleNext(id).catch(() => {})
    }),
  )
}

await (mode === 'relay' ? relay(rest[0] ?? '') : consume(rest))
