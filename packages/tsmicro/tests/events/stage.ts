import assert from 'node:assert/strict'
import { after } from 'node:test'
import { headers } from '@nats-io/nats-core'
import type { NatsClient, ReceivedEvent } from 'tsmicro'
import { event } from 'tsmicro/contract'
import Type from 'typebox'
import { EventEngine, JetStream, type Pace } from '../../src/events/index.ts'
import type { Network } from '../conformance/network/network.ts'
import { RecordedLog } from '../support/log.ts'
import { until } from '../support/until.ts'
import { MemoryInbox } from './memory-inbox.ts'

const data = Type.Object({ id: Type.String(), n: Type.Integer() })
const created = event({ subject: 'item.created', aggregate: 'id', data })
const changed = event({ subject: 'item.changed', aggregate: 'id', data })
type ItemEvent = ReceivedEvent<typeof created>

export interface Sent {
  readonly id: string
  readonly n?: number
  readonly subject?: string
  readonly first?: number
  /** Aggregates without events since are forgotten by their source. */
  readonly forgotten?: Date
  readonly data?: unknown
}

interface ReplicaOptions {
  readonly pace?: Partial<Pace>
  readonly tries?: number
  readonly inbox?: MemoryInbox | undefined
  readonly name?: string
}

export interface Replica {
  readonly engine: EventEngine
  readonly log: RecordedLog
  readonly nats: NatsClient
  stop(ms?: number): Promise<void>
}

/** A tenth of a generated run's size, or all of it in CI. */
export const sized = (full: number): number => (process.env.CI ? full : full / 10)

/** Times that fit tests. */
const PACE: Partial<Pace> = { pauseMs: 5, ackWaitMs: 2000, timeoutMs: 10_000 }

/** A network with the streams of `item` and of the dead letters of `stock`, which consumes them. */
export async function openStage(network: Pick<Network, 'client'>) {
  const open = async (name: string) => {
    const client = network.client(name, { log: new RecordedLog() })
    await client.connect()
    return client
  }
  const nats = await open('tests')
  after(() => nats.close())
  const js = new JetStream(nats)
  const makeStreams = async () => {
    await js.createStream({ name: 'EVENTS_item', subjects: ['item.>'], storage: 'file' })
    await js.createStream({ name: 'DEAD_stock', subjects: ['_TSMICRO.dead.stock.>'], storage: 'file' })
  }
  await makeStreams()
  const inbox = new MemoryInbox()
  const replicas = new Set<Replica>()
  after(() => Promise.all([...replicas].map(replica => replica.stop())))

  const stage = {
    nats,
    js,
    makeStreams,
    inbox,
    /** Publishes without waiting; `published` does. */
    publish({ id, n, subject = created.subject, first, forgotten, data = { id, n: n ?? 0 } }: Sent) {
      const made = headers()
      const set = (name: string, value: string) => made.set(name, value)
      set('Nats-Msg-Id', `${id}-${n}-${subject}-${crypto.randomUUID()}`)
      set('ce-specversion', '1.0')
      set('ce-id', `${id}-${n}`)
      set('ce-type', subject)
      set('ce-source', 'shop')
      set('ce-time', new Date().toISOString())
      set('ce-dataversion', '1')
      set('ce-aggregateid', id)
      if (n !== undefined) set('ce-aggregatesequence', String(n))
      if (first !== undefined) set('ce-aggregatefirst', String(first))
      if (forgotten !== undefined) set('tsmicro-forgotten', forgotten.toISOString())
      nats.use().publish(subject, JSON.stringify(data), { headers: made })
    },
    async published(...sent: readonly Sent[]) {
      for (const each of sent) stage.publish(each)
      await nats.use().flush()
    },
    /** An instance of `stock`. */
    async replica(handler: (event: ItemEvent) => unknown, options: ReplicaOptions = {}): Promise<Replica> {
      const { pace, tries = 3, name = 'items' } = options
      const log = new RecordedLog()
      const client = await open('stock')
      const engine = new EventEngine({ service: 'stock', log, pace: { ...PACE, ...pace } })
      const used = 'inbox' in options ? options.inbox : inbox
      for (const each of [created, changed])
        engine.add({
          name,
          event: each,
          tries,
          inbox: used,
          handler: async received => void (await handler(received as never)),
        })
      engine.start(client)
      const replica: Replica = {
        engine,
        log,
        nats: client,
        async stop(ms = 10_000) {
          if (!replicas.delete(replica)) return
          await engine.stop(ms)
          await client.close()
        },
      }
      replicas.add(replica)
      return replica
    },
    /** What the consumer has not done yet; a busy server tells it late of what it has just stored. */
    async left(name = 'items') {
      const stored = (await js.stream('EVENTS_item'))?.state.last_seq ?? Number.NaN
      const info = await js.consumer('EVENTS_item', `stock_${name}`)
      if (!info) return Number.NaN
      return Math.max(info.num_pending, stored - info.delivered.stream_seq) + info.num_ack_pending
    },
    idle: (name?: string) =>
      until('everything is acknowledged', async () => (await stage.left(name).catch(() => -1)) === 0),
  }
  return stage
}

const IDS = 20

export const numbered = (count: number): Sent[] =>
  Array.from({ length: count }, (_, n) => ({ id: `i${n % IDS}`, n: Math.floor(n / IDS) + 1 }))

export function assertInOrder(inbox: MemoryInbox, count: number): void {
  assert.equal(inbox.effects.length, count)
  for (let id = 0; id < IDS; id++)
    assert.deepEqual(
      inbox.of(`i${id}`),
      Array.from({ length: count / IDS }, (_, n) => n + 1),
    )
}
