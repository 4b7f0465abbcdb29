import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startDocuments, startPostgres } from '@tsmicro/infra'
import { sql, type Transaction } from 'kysely'
import { createOutbox, implement, type Module, type NatsClient, type Outbox, on } from 'tsmicro'
import { contract, event, procedure } from 'tsmicro/contract'
import { createMongo, type MongoChange } from 'tsmicro/mongo'
import { createPostgres } from 'tsmicro/postgres'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'

const Order = Type.Object({ orderId: Type.String(), text: Type.String() })
const place = procedure({ http: 'POST /orders', access: 'open', input: Order })
const shop = contract('shop', {
  place,
  orderPlaced: event({ subject: 'order.placed', aggregate: 'orderId', data: Order }),
})
const paid = event({ subject: 'payment.made', aggregate: 'orderId', data: Order })
interface OrderRow {
  orderId: string
  text: string
}

const postgresServer = await startPostgres({ ephemeral: true })
const documentServer = await startDocuments({ ephemeral: true })
after(() => Promise.all([postgresServer.stop(), documentServer.stop()]))

interface Tables {
  orders: OrderRow
  copies: { text: string; at: number }
}

/** A service that places orders and announces them with its database, and copies what it announces and what is paid. */
interface Stored {
  readonly createModule: (parts: { readonly nats: NatsClient }) => Module | Promise<Module>
  /** What its handlers have stored, in its order. */
  readonly copied: () => Promise<readonly string[]>
}

const newDatabase = () => `test_${randomUUID().slice(0, 8)}`

async function inPostgres(database = newDatabase()): Promise<Stored> {
  const admin = createPostgres({ url: postgresServer.url })
  await sql`CREATE DATABASE ${sql.id(database)}`.execute(admin.db).catch(() => {})
  await admin.close()
  const postgres = createPostgres<Tables>({ url: new URL(`/${database}`, postgresServer.url).href })
  await sql`CREATE TABLE IF NOT EXISTS orders ("orderId" text PRIMARY KEY, text text NOT NULL)`.execute(postgres.db)
  await sql`CREATE TABLE IF NOT EXISTS copies (at serial, text text NOT NULL)`.execute(postgres.db)
  const outbox: Outbox<Transaction<Tables>> = createOutbox(postgres.outboxStore())
  const inbox = postgres.inboxStore()
  const copy = (received: { readonly data: OrderRow }) =>
    postgres.transaction(async tx => {
      await inbox.record(tx, received)
      await sql`INSERT INTO copies (text) VALUES (${received.data.text})`.execute(tx)
    })
  return {
    createModule: ({ nats }) => ({
      nats,
      dependencies: [postgres],
      outboxes: [outbox],
      inboxes: [inbox],
      handlers: [
        implement(shop, {
          place: async ({ input }) => {
            await postgres.transaction(async tx => {
              await tx.insertInto('orders').values(input).execute()
              await outbox.add(tx, shop.orderPlaced, input)
              if (input.text === 'rolled back') throw new RangeError(input.text)
            })
          },
        }),
        on(shop.orderPlaced, { name: 'copies', effect: 'postgres' }, copy),
        on(paid, { name: 'copies', effect: 'postgres' }, copy),
      ],
    }),
    copied: async () =>
      (await postgres.db.selectFrom('copies').select('text').orderBy('at').execute()).map(({ text }) => text),
  }
}

async function inMongo(database = newDatabase()): Promise<Stored> {
  const mongo = createMongo({ url: documentServer.url, database, ...PATIENT_MONGO })
  const orders = mongo.collection<{ _id: string; text: string }>('orders', { aggregate: 'order' })
  const copies = mongo.collection<{ _id: string; texts?: string[] }>('copies')
  const outbox: Outbox<MongoChange> = createOutbox(mongo.outboxStore())
  const copy = async (received: { readonly data: OrderRow }) => {
    await copies.updateOne({ _id: 'all' }, { $push: { texts: received.data.text } }, { event: received, upsert: true })
  }
  return {
    createModule: ({ nats }) => ({
      nats,
      dependencies: [mongo],
      outboxes: [outbox],
      inboxes: [mongo.inboxStore()],
      handlers: [
        implement(shop, {
          place: async ({ input: { orderId: _id, text } }) => {
            await mongo.change(async change => {
              await outbox.add(change, shop.orderPlaced, { orderId: _id, text })
              if (text === 'rolled back') throw new RangeError(text)
              await orders.insertOne({ _id, text }, { change })
            })
          },
        }),
        on(shop.orderPlaced, { name: 'copies', effect: 'mongodb' }, copy),
        on(paid, { name: 'copies', effect: 'mongodb' }, copy),
      ],
    }),
    copied: async () => (await copies.findOne({ _id: 'all' }))?.texts ?? [],
  }
}

for (const [where, create] of [
  ['PostgreSQL', inPostgres],
  ['MongoDB', inMongo],
] as const) {
  test(`an outbox in ${where}: what is committed arrives at the test and at handlers, with its number`, async () => {
    const { createModule, copied } = await create()
    await using app = await testService(createModule)
    await app.http(shop).place({ orderId: 'a', text: 'soap' })
    const placed = await app.nextEvent(shop.orderPlaced)
    assert.deepEqual([placed.data, placed.aggregateSequence], [{ orderId: 'a', text: 'soap' }, 1])
    await app.settled()
    assert.deepEqual(await copied(), ['soap'])
    await assert.rejects(app.http(shop).place({ orderId: 'b', text: 'rolled back' }))
    for (let n = 0; n < 20; n++) await app.http(shop).place({ orderId: `c${n}`, text: `rope ${n}` })
    await app.settled()
    const texts = app.events(shop.orderPlaced).map(({ data }) => data.text)
    assert.deepEqual(texts.toSorted(), ['soap', ...Array.from({ length: 20 }, (_, n) => `rope ${n}`)].toSorted())
    assert.deepEqual((await copied()).toSorted(), texts.toSorted())
  })

  test(`an inbox in ${where}: an event of another service takes effect once`, async () => {
    const { createModule, copied } = await create()
    await using app = await testService(createModule)
    const payment = { orderId: 'a', text: 'paid' }
    await app.publish(paid, payment, { sequence: 1 })
    assert.deepEqual(await copied(), ['paid'])
    await app.publish(paid, payment, { sequence: 1 })
    await app.publish(paid, { ...payment, text: 'paid back' }, { sequence: 2 })
    assert.deepEqual(await copied(), ['paid', 'paid back'])
  })

  test(`an outbox in ${where}: what is committed while NATS is away arrives once it is back`, async () => {
    const { createModule, copied } = await create()
    await using app = await testService(createModule)
    await app.loopback.disconnect()
    await app.http(shop).place({ orderId: 'a', text: 'soap' })
    await app.loopback.reconnect()
    assert.equal((await app.nextEvent(shop.orderPlaced)).data.text, 'soap')
    await app.settled()
    assert.deepEqual(await copied(), ['soap'])
  })

  test(`an outbox in ${where}: the next service on the same database sends its events again, without effect`, async () => {
    const database = newDatabase()
    const first = await create(database)
    const app = await testService(first.createModule)
    await app.http(shop).place({ orderId: 'a', text: 'soap' })
    await app.settled()
    await app.close()
    const next = await create(database)
    await using again = await testService(next.createModule)
    assert.equal((await again.nextEvent(shop.orderPlaced)).data.text, 'soap')
    await again.http(shop).place({ orderId: 'b', text: 'rope' })
    await again.settled()
    assert.deepEqual(await next.copied(), ['soap', 'rope'])
  })
}
