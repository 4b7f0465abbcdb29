import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startDocuments, startNats } from '@tsmicro/infra'
import { createOutbox, createService, NatsClient, type ReceivedEvent } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import { createMongo } from 'tsmicro/mongo'
import { Type } from 'typebox'
import { EventEngine, JetStream } from '../../src/events/index.ts'
import { RecordedLog } from '../support/log.ts'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'
import { until } from '../support/until.ts'

interface Order {
  _id: string
  texts: string[]
}

const data = Type.Object({ orderId: Type.String(), text: Type.String() })
const orderPlaced = event({ subject: 'order.placed', aggregate: 'orderId', data })
const orderChanged = event({ subject: 'order.changed', aggregate: 'orderId', data })
const orders = contract('shop', { orderPlaced, orderChanged })

const folder = await mkdtemp(join(tmpdir(), 'mongo-services-'))
const [documents, broker] = await Promise.all([startDocuments({ ephemeral: true }), startNats({ dataDir: folder })])
const stops: (() => Promise<void>)[] = []
after(async () => {
  for (const stop of stops) await stop()
  await Promise.all([documents.stop(), broker.stop()])
  await rm(folder, { recursive: true, force: true })
})

function partsOf(name: string) {
  const log = new RecordedLog()
  const nats = new NatsClient({ url: broker.url, name, reconnectWaitMs: 20, log })
  const mongo = createMongo({ url: documents.url, database: name, ...PATIENT_MONGO })
  return { log, nats, mongo }
}

/** Changes orders and announces that. */
async function startShop() {
  const { log, nats, mongo } = partsOf('shop')
  const all = mongo.collection<Order>('orders', { aggregate: 'order' })
  const outbox = createOutbox(mongo.outboxStore())
  const module = { nats, dependencies: [mongo], outboxes: [outbox], publishes: [orders] }
  const service = createService({ name: 'shop', version: '1.0.0', module, log })
  await service.start()
  stops.push(() => service.stop())
  const change = (orderId: string, text: string) =>
    mongo.change(async change => {
      await outbox.add(change, text === '1' ? orderPlaced : orderChanged, { orderId, text })
      await all.updateOne({ _id: orderId }, { $push: { texts: text } }, { upsert: true, change })
    })
  return { change, all, outbox }
}

/** Keeps what it hears of an order in a document of its own, and in one of all. */
async function startStock() {
  const { log, nats, mongo } = partsOf('stock')
  const heard = mongo.collection<Order>('heard')
  const inbox = mongo.inboxStore()
  const handler = async (received: ReceivedEvent) => {
    const { orderId, text } = received.data as { orderId: string; text: string }
    const options = { upsert: true, event: received }
    await heard.updateOne({ _id: orderId }, { $push: { texts: text } }, options)
    await heard.updateOne({ _id: 'all' }, { $push: { texts: `${orderId} ${text}` } }, options)
  }
  await mongo.connect()
  await inbox.prepare()
  await nats.connect()
  await new JetStream(nats).createStream({ name: 'DEAD_stock', subjects: ['_TSMICRO.dead.stock.>'], storage: 'file' })
  const pace = { pauseMs: 5, ackWaitMs: 2000, timeoutMs: 10_000 }
  const engine = new EventEngine({ service: 'stock', log, pace })
  for (const each of [orderPlaced, orderChanged])
    engine.add({ name: 'heard', event: each, tries: 5, inbox, handler: handler as never })
  engine.start(nats)
  stops.push(async () => {
    await engine.stop(10_000)
    await nats.close()
    await mongo.close()
  })
  return heard
}

const EACH = process.env.CI ? 100 : 20

test('changes of documents have their effect in the documents of another service once, in order, whatever is killed', async () => {
  const shop = await startShop()
  const heard = await startStock()
  await startStock()
  const ids = Array.from({ length: 6 }, () => randomUUID())
  let committed = 0
  const changing = ids.map(async id => {
    for (let n = 1; n <= EACH; n++) {
      await shop.change(id, String(n)).catch(() => {})
      committed += 1
    }
  })
  const total = ids.length * EACH
  for (const [share, server] of [
    [0.2, documents],
    [0.4, broker],
    [0.6, documents],
  ] as const) {
    await until('more is committed', () => committed > share * total)
    server.kill('SIGKILL')
    await server.restart()
  }
  await Promise.all(changing)
  const textsOf = async (all: typeof heard, _id: string) => (await all.findOne({ _id }).catch(() => null))?.texts ?? []
  for (const id of ids) {
    const changes = await textsOf(shop.all, id)
    await until(`${changes.length} are heard`, async () => (await textsOf(heard, id)).length >= changes.length)
    assert.deepEqual(await textsOf(heard, id), changes)
  }
  const all = () => textsOf(heard, 'all')
  const made = (await Promise.all(ids.map(id => textsOf(shop.all, id)))).flat().length
  await until('both documents have it', async () => (await all()).length >= made)
  for (const id of ids) {
    const its = (await all()).filter(each => each.startsWith(id)).map(each => each.split(' ')[1])
    assert.deepEqual(its, await textsOf(shop.all, id))
  }
})

test('an erased order goes on with the next number', async () => {
  const shop = await startShop()
  const heard = await startStock()
  const id = randomUUID()
  for (const text of ['1', '2']) await shop.change(id, text)
  const texts = async () => (await heard.findOne({ _id: id }))?.texts.join() ?? ''
  await until('both are heard', async () => (await texts()) === '1,2')
  await shop.outbox.erase('order', id)
  await shop.change(id, '3')
  await until('the next is heard', async () => (await texts()) === '1,2,3')
})
