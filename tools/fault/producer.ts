/** A process that changes accounts and pages, announces each change, and abandons some of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createOutbox, createService, NatsClient } from 'tsmicro'
import { createLogger } from 'tsmicro/telemetry'
import { serveRun } from './process.ts'
import {
  ABANDONED,
  type Assignment,
  accountChanged,
  appendKey,
  changes,
  type Order,
  openDatabases,
  pageChanged,
} from './world.ts'

const AGGREGATES = 60
const WORKERS = 6
const ABANDONED_SHARE = 0.1
/** After an error: a database is away. */
const REST_MS = 100

serveRun(async ({ urls, name }: Assignment, report) => {
  const { postgres, mongo, pages } = await openDatabases(urls)
  const log = createLogger({ name: 'source' })
  const nats = new NatsClient({ url: urls.nats, name: 'source', reconnectWaitMs: 100, log })
  const [rows, documents] = [createOutbox(postgres.outboxStore()), createOutbox(mongo.outboxStore())]
  const module = { nats, dependencies: [postgres, mongo], outboxes: [rows, documents], publishes: [changes] }
  const service = createService({ name: 'source', version: '1.0.0', module, log })
  await service.start()

  const changeAccount = (id: string, key: string, before: () => Promise<unknown>) =>
    postgres.transaction(async tx => {
      await appendKey(tx, 'accounts', id, key)
      await rows.add(tx, accountChanged, { id, key })
      await before()
    })
  const changePage = (_id: string, key: string, abandon: boolean) =>
    mongo.change(async change => {
      await documents.add(change, pageChanged, { id: _id, key })
      // No document matches what is to be abandoned.
      const filter = abandon ? { _id, keys: [] } : { _id }
      const { matched } = await pages.updateOne(filter, { $push: { keys: key } }, { upsert: !abandon, change })
      if (abandon && matched === 0) throw new Error(ABANDONED)
    })

  let [changing, holding, ended, count] = [false, false, false, 0]
  const attempt = async (key: string, change: () => Promise<unknown>) => {
    try {
      await change()
      report({ committed: [key] })
    } catch {
      if (!key.startsWith(ABANDONED)) await sleep(REST_MS)
    }
  }
  const work = async (worker: number) => {
    while (!ended) {
      if (!changing) {
        await sleep(20)
        continue
      }
      const abandon = Math.random() < ABANDONED_SHARE
      const key = `${abandon ? `${ABANDONED} ` : ''}${name}-${++count}`
      const id = `a${Math.floor(Math.random() * AGGREGATES)}`
      const given = async () => {
        if (abandon) throw new Error(ABANDONED)
      }
      await attempt(key, () => (worker % 2 === 0 ? changeAccount(id, key, given) : changePage(id, key, abandon)))
    }
  }
  const hold = async () => {
    while (!ended) {
      await sleep(100)
      const key = `${name}-held-${++count}`
      const whileHeld = async () => {
        while (holding && changing && !ended) await sleep(100)
      }
      if (holding && changing) await attempt(key, () => changeAccount(`held-by-${name}`, key, whileHeld))
    }
  }
  const working = [hold(), ...Array.from({ length: WORKERS }, (_, worker) => work(worker))]

  return {
    order: (order: Order) => {
      changing = order.changing ?? changing
      holding = order.holding ?? holding
    },
    stop: async () => {
      ended = true
      await Promise.all(working)
      await service.stop()
    },
  }
})
