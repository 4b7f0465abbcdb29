import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import { createMongo, type Mongo } from 'tsmicro/mongo'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'
import { suite } from './suite.ts'

const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const opened: Mongo[] = []
// In this order: without the server, a patient client would wait for it to come back.
after(async () => {
  await Promise.all(opened.map(mongo => mongo.close()))
  await server.stop()
})
const database = 'idempotency'
const connected = async () => {
  const mongo = createMongo({ url: server.url, database, ...PATIENT_MONGO })
  opened.push(mongo)
  await mongo.connect()
  return mongo
}
const { db } = await connected()
await db.dropDatabase()

// First: hooks of the whole file run as soon as no test is left, although more would follow what is awaited here.
await suite({
  open: async () => (await connected()).idempotencyStore(),
  dump: async () => JSON.stringify(await db.collection('idempotencyKeys').find().toArray()),
  env: { IDEMPOTENCY_MONGO: server.url },
})

test('the server deletes what has lapsed, by an index', async () => {
  const mongo = await connected()
  mongo.idempotencyStore()
  await mongo.ensureIndexes()
  const indexes = await db.collection('idempotencyKeys').listIndexes().toArray()
  assert.deepEqual(
    indexes.map(({ key, expireAfterSeconds }) => [key, expireAfterSeconds]),
    [
      [{ _id: 1 }, undefined],
      [{ expiresAt: 1 }, 0],
    ],
  )
})
