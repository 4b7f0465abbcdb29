/** A process that handles each event twice: with an effect in PostgreSQL, and with one in a document. Some attempts fail half-way. */
import { createService, NatsClient, on, type ReceivedEvent } from 'tsmicro'
import { createLogger } from 'tsmicro/telemetry'
import { serveRun } from './process.ts'
import { accountChanged, appendKey, openDatabases, pageChanged } from './world.ts'

const FAILING_SHARE = 0.01

/** What both events have for a handler. */
type Changed = Pick<ReceivedEvent, 'type'> & { readonly data: { readonly id: string; readonly key: string } }

serveRun(async ({ urls }, report) => {
  const { postgres, mongo, effects } = await openDatabases(urls)
  const log = createLogger({ name: 'sink' })
  const nats = new NatsClient({ url: urls.nats, name: 'sink', reconnectWaitMs: 100, log })
  const inbox = postgres.inboxStore()
  const failSometimes = () => {
    if (Math.random() < FAILING_SHARE) throw new Error('an attempt that fails half-way')
  }
  const nameOf = ({ type, data }: Changed) => `${type} ${data.id}`
  const toRow = async (event: Changed) => {
    await postgres.transaction(async tx => {
      await inbox.record(tx, event)
      await appendKey(tx, 'effects', nameOf(event), event.data.key)
      failSometimes()
    })
    report({ effects: 1 })
  }
  const toDocument = async (event: Changed) => {
    await effects.updateOne({ _id: nameOf(event) }, { $push: { keys: event.data.key } }, { upsert: true, event })
    failSometimes()
    report({ effects: 1 })
  }
  const [rows, documents] = [
    { name: 'rows', effect: 'postgres' } as const,
    { name: 'documents', effect: 'mongodb' } as const,
  ]
  const handlers = [
    on(accountChanged, rows, toRow),
    on(pageChanged, rows, toRow),
    on(accountChanged, documents, toDocument),
    on(pageChanged, documents, toDocument),
  ]
  const module = { nats, dependencies: [postgres, mongo], inboxes: [inbox, mongo.inboxStore()], handlers }
  const service = createService({ name: 'sink', version: '1.0.0', module, log })
  await service.start()
  return { order: () => {}, stop: () => service.stop() }
})
