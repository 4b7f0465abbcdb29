import { randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import { createOutbox, createService, NatsClient, type Outbox } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import { createPostgres } from 'tsmicro/postgres'
import { Type } from 'typebox'
import { JetStream } from '../../src/events/index.ts'
import type { StoredMessage } from '../../src/events/jetstream/index.ts'
import type { OutboxStore } from '../../src/stores/index.ts'
import { RecordedLog } from '../support/log.ts'

const Order = Type.Object({ orderId: Type.String(), text: Type.String() })
export const orderPlaced = event({ subject: 'order.placed', aggregate: 'orderId', data: Order })
export const orderChanged = event({ subject: 'order.changed', aggregate: 'orderId', data: Order })
export const parcelSent = event({ subject: 'parcel.sent', aggregate: 'orderId', data: Order })
const orders = contract('shop', { orderPlaced, orderChanged, parcelSent })

export interface Servers {
  readonly postgresUrl: string
  readonly natsUrl: string
  readonly pooler?: 'transaction'
}

type Store = OutboxStore<Transaction<unknown>>

interface ShopOptions {
  readonly name?: string
  /** A test's own store around the real one. */
  readonly wrap?: (store: Store) => Store
}

/** A service with an outbox in PostgreSQL, not started. */
export function shop({ postgresUrl, natsUrl, pooler }: Servers, more: ShopOptions = {}) {
  const log = new RecordedLog()
  const { name = 'shop', wrap = store => store } = more
  const nats = new NatsClient({ url: natsUrl, name, reconnectWaitMs: 20, log })
  const postgres = createPostgres({ url: postgresUrl, pooler })
  const outbox: Outbox<Transaction<unknown>> = createOutbox(wrap(postgres.outboxStore()))
  const module = { nats, dependencies: [postgres], outboxes: [outbox], publishes: [orders] }
  const service = createService({ name, version: '1.0.0', module, log })
  const change = async (orderId: string, text: string, fails = false) => {
    await postgres.transaction(
      async tx => {
        await outbox.add(tx, orderChanged, { orderId, text })
        if (fails) throw new RangeError('rolled back')
      },
      { retries: 50 },
    )
  }
  return { service, log, nats, postgres, outbox, change, [Symbol.asyncDispose]: () => service.stop() }
}

/** Reads streams as they are. */
export async function streamReader(natsUrl: string) {
  const nats = new NatsClient({ url: natsUrl, name: `reader-${randomUUID()}`, reconnectWaitMs: 20 })
  await nats.connect()
  const js = new JetStream(nats)
  const messages = async (type = 'order'): Promise<readonly StoredMessage[]> => {
    const stream = `EVENTS_${type}`
    const { state } = (await js.stream(stream)) ?? { state: { first_seq: 1, last_seq: 0 } }
    const first = Math.max(1, state.first_seq)
    const numbers = Array.from({ length: state.last_seq - first + 1 }, (_, n) => first + n)
    const found: (StoredMessage | undefined)[] = []
    for (let from = 0; from < numbers.length; from += 256)
      found.push(...(await Promise.all(numbers.slice(from, from + 256).map(seq => js.message(stream, { seq })))))
    return found.filter(message => message !== undefined)
  }
  return {
    js,
    nats,
    messages,
    /** The numbers of an aggregate's events, in the order of the stream; none while the server is away. */
    numbers: async (orderId: string) =>
      (await messages().catch(() => [])).flatMap(({ headers }) =>
        headers['ce-aggregateid'] === orderId ? [Number(headers['ce-aggregatesequence'])] : [],
      ),
    [Symbol.asyncDispose]: () => nats.close(),
  }
}
