/** Whole services: an outbox in PostgreSQL with its relay, and idempotent handlers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createOutbox, createService, NatsClient, on } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import { JetStream } from 'tsmicro/internal'
import { createPostgres } from 'tsmicro/postgres'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'
import { counter, dataOf, type Open, SUBJECT, timed } from '../subject.ts'

const data = Type.Object({ id: Type.String(), n: Type.Integer(), text: Type.String() })
const itemChanged = event({ subject: SUBJECT, aggregate: 'id', data })
const orderChanged = event({ subject: 'order.changed', aggregate: 'id', data })
const noteChanged = event({ subject: 'note.changed', aggregate: 'id', data })
const shop = contract('shop', { orderChanged, noteChanged })

const COMMITTED_AT_ONCE = 500
const LOOK_MS = 10

export const open: Open = async ({ nats: url, postgres: postgresUrl }) => {
  let handlers = 0
  const clientOf = (name: string) => {
    const log = createLogger({ name, level: 'error' })
    return { log, nats: new NatsClient({ url, name, log }) }
  }
  const consumer = (take: (n: number) => void) => {
    const { log, nats } = clientOf('stock')
    const list = on(itemChanged, { name: `list${++handlers}`, effect: 'idempotent' }, ({ data }) => take(data.n))
    return createService({ name: 'stock', version: '1.0.0', module: { nats, handlers: [list] }, log })
  }
  /** Sends what is in its outbox, and handles notes. */
  const announcer = (take: (n: number) => void) => {
    const { log, nats } = clientOf('shop')
    const postgres = createPostgres({ url: postgresUrl })
    const store = postgres.outboxStore()
    const outbox = createOutbox(store)
    const list = on(noteChanged, { name: 'notes', effect: 'idempotent' }, ({ data }) => take(data.n))
    const module = { nats, dependencies: [postgres], outboxes: [outbox], publishes: [shop], handlers: [list] }
    const service = createService({ name: 'shop', version: '1.0.0', module, log })
    const commit = (changed: typeof orderChanged | typeof noteChanged, numbers: readonly number[]) =>
      postgres.transaction(async tx => {
        for (const n of numbers) await outbox.add(tx, changed, dataOf(n))
      })
    return { service, prepare: () => store.prepare(), commit }
  }

  return {
    /** Of a full outbox. */
    async publish(count) {
      const { service, prepare, commit } = announcer(() => {})
      await prepare()
      const numbers = Array.from({ length: count }, (_, n) => n)
      for (let from = 0; from < count; from += COMMITTED_AT_ONCE)
        await commit(orderChanged, numbers.slice(from, from + COMMITTED_AT_ONCE))
      const { nats } = clientOf('watch')
      await nats.connect()
      const js = new JetStream(nats)
      const stored = async () => (await js.stream('EVENTS_order'))?.state.messages ?? 0
      const before = await stored()
      const { reach, sample } = counter(count)
      const started = service.start()
      for (let sent = 0; sent < count; reach(sent)) {
        await sleep(LOOK_MS)
        sent = (await stored()) - before
      }
      await started
      await service.stop()
      await nats.close()
      return sample
    },
    async consume(count) {
      const { next, sample } = counter(count)
      const service = consumer(next)
      await service.start()
      const found = await sample
      await service.stop()
      return found
    },
    async latency(pace) {
      const { handled, run } = timed(pace)
      const { service, commit } = announcer(handled)
      await service.start()
      const found = await run(async n => {
        await commit(noteChanged, [n])
        return performance.now()
      })
      await service.stop()
      return found
    },
  }
}
