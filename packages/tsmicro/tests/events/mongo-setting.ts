import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import type { Document } from 'mongodb'
import { createMongo, type Mongo, type MongoChange } from 'tsmicro/mongo'
import type { StoredEvent } from '../../src/stores/index.ts'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'
import type { OutboxSetting } from './outbox-suite.ts'

export interface Thing extends Document {
  _id: string
  n?: number
}

const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const database = `outbox_${randomUUID().slice(0, 8)}`
const opened: Mongo[] = []
after(async () => {
  await opened[0]?.db.dropDatabase()
  await Promise.all(opened.map(mongo => mongo.close()))
  await server.stop()
})

/** An outbox with connections of its own; `things` are the documents of the events of the suite. */
export async function open({ url = server.url } = {}) {
  const mongo = createMongo({ url, database, ...PATIENT_MONGO })
  await mongo.connect()
  opened.push(mongo)
  const store = mongo.outboxStore()
  const collectionOf = (type: string) => mongo.collection<Thing>(`all_${type}`, { aggregate: type })
  const things = collectionOf('thing')
  await store.prepare()
  const add = async (change: MongoChange, events: readonly StoredEvent[], options = { restart: false }) => {
    for (const event of events) await store.add(change, event, options)
  }
  const setting: OutboxSetting = {
    store,
    commit: (events, options) =>
      mongo.change(async change => {
        await add(change, events, options)
        const { type = '', aggregateId = '' } = events[0] ?? {}
        const inserted = { $inc: { n: 1 } }
        await collectionOf(type).updateOne({ _id: aggregateId }, inserted, { upsert: true, change })
      }),
    abandon: events =>
      mongo.change(async change => {
        await add(change, events)
        const { type = '', aggregateId: _id = '' } = events[0] ?? {}
        const { matched } = await collectionOf(type).updateOne({ _id, n: -1 }, { $inc: { n: 1 } }, { change })
        assert.equal(matched, 0)
      }),
  }
  return { ...setting, mongo, store, things, add, stored: mongo.db.collection<Thing>('all_thing') }
}
