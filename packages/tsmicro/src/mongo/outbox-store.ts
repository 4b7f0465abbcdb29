import type { Db } from 'mongodb'
import type { NumberedEvent, OutboxStore, StoredEvent, StreamState } from '../stores/index.ts'
import type { MongoChange } from './change.ts'
import { translated } from './errors.ts'
import { ensureIndexes, type IndexDefinition } from './indexes.ts'
import {
  type Aggregates,
  countWaiting,
  forgetSent,
  readWaiting,
  removeSent,
  WAITING_INDEX,
} from './outbox-documents.ts'
import * as keeping from './outbox-kept.ts'
import { inOwnTurn, inTurn, type Named, type Turn } from './outbox-lease.ts'

type Send = Parameters<OutboxStore<unknown>['relay']>[0]

/** What an outbox knows of the database it belongs to. */
export interface Outboxes {
  /** The collections whose documents hold events. */
  readonly aggregates: readonly Aggregates[]
  readonly listeners: Set<() => void>
}

const STREAM = 'stream '

/**
 * Events in the documents that they are about. Sent ones are kept in the collection `outboxEvents`; the collection `outbox` has the turn of
 * the relay and the state of the streams.
 */
export class MongoOutboxStore implements OutboxStore<MongoChange> {
  readonly effect = 'mongodb'
  readonly #db: Db
  readonly #outboxes: Outboxes

  constructor(db: Db, outboxes: Outboxes) {
    this.#db = db
    this.#outboxes = outboxes
  }

  async prepare(): Promise<void> {
    for (const { collection } of this.#outboxes.aggregates) await ensureIndexes(collection, [WAITING_INDEX])
    await ensureIndexes(this.#db.collection('outboxEvents'), keeping.KEPT_INDEXES as readonly IndexDefinition[])
  }

  async add(
    change: MongoChange,
    event: StoredEvent,
    { restart, after = 0 }: Parameters<OutboxStore<unknown>['add']>[2],
  ): Promise<void> {
    if (after > 0) throw new TypeError('a document counts its own events, from 1: restart: true')
    change.add(event, restart)
  }

  onCommitted(listener: () => void): void {
    this.#outboxes.listeners.add(listener)
  }

  async relay(send: Send, limit: number): Promise<number | 'busy'> {
    const sent = await translated(() => inTurn(this.#outbox, turn => this.#sendAll(send, limit, turn)))
    return sent ?? 'busy'
  }

  /** A part at a time, as all of it may be large. Ends when something was not accepted, as it would be read again. */
  async #sendAll(send: Send, limit: number, turn: Turn): Promise<number> {
    for (let total = 0; ; ) {
      const { sent, all } = await this.#sendSome(send, limit - total, turn)
      total += sent
      if (!all || sent === 0 || total >= limit) return total
    }
  }

  async #sendSome(send: Send, limit: number, turn: Turn): Promise<{ readonly sent: number; readonly all: boolean }> {
    const epochs = await this.#epochs()
    const again = await keeping.readUnsent(this.#kept, epochs, limit)
    // Only what follows the last of them: an aggregate's events stay in order.
    const waiting = await readWaiting(this.#outboxes.aggregates, limit - again.length)
    const events = [...again, ...waiting.flatMap(each => each.events)]
    if (events.length === 0) return { sent: 0, all: true }
    const numbers = await send(events, () => turn.lasts())
    const streamOf = new Map(events.map(({ id }, index) => [id, numbers[index]]))
    if (!(await turn.stillOwn())) return { sent: 0, all: false }
    const accepted = waiting.map(each => ({ ...each, events: upToUnsent(each.events, streamOf) }))
    const moved = accepted.filter(each => each.events.length > 0)
    const taken = sentOf(
      moved.flatMap(each => each.events),
      streamOf,
    )
    const repeated = sentOf(again, streamOf)
    await keeping.recordAgain(this.#kept, repeated, epochs, turn.begun)
    await keeping.keepSent(this.#kept, taken, epochs, turn.begun)
    await this.#raiseStates([...repeated, ...taken], epochs)
    await removeSent(moved)
    const sent = repeated.length + taken.length
    return { sent, all: sent === events.length }
  }

  async #raiseStates(sent: readonly keeping.Sent[], epochs: keeping.Epochs): Promise<void> {
    for (const [type, its] of Map.groupBy(sent, ({ event }) => event.type)) {
      const lastSequence = its.reduce((most, { stream }) => Math.max(most, stream), 0)
      // If the type is being sent again meanwhile, the numbers are those of a stream that is gone.
      await this.#outbox.updateOne({ _id: STREAM + type, epoch: epochs.get(type) ?? null }, { $max: { lastSequence } })
    }
  }

  async streamState(type: string): Promise<StreamState | undefined> {
    const found = await translated(() => this.#outbox.findOne({ _id: STREAM + type }))
    return found ? { created: found.created, lastSequence: found.lastSequence } : undefined
  }

  recordStream(type: string, state: StreamState, options?: { readonly resendAfter: number }): Promise<number> {
    const _id = STREAM + type
    return translated(async () => {
      if (options) {
        const epoch = ((await this.#epochs()).get(type) ?? 0) + 1
        // First: whoever dies in between must not leave all that the stream still has unsent.
        const unsent = await keeping.keepUpTo(this.#kept, type, epoch, options.resendAfter)
        await this.#outbox.updateOne({ _id }, { $set: { ...state }, $max: { epoch } }, { upsert: true })
        return unsent
      }
      // Another relay may have sent more since the stream was asked.
      const isSame = { $eq: ['$created', state.created] }
      const last = { $max: [{ $cond: [isSame, '$lastSequence', 0] }, state.lastSequence] }
      const $set = { created: state.created, lastSequence: last }
      await this.#outbox.updateOne({ _id }, [{ $set }], { upsert: true })
      return 0
    })
  }

  erase(type: string, aggregateId: string): Promise<readonly number[] | 'unsent'> {
    return translated(() =>
      inOwnTurn(this.#outbox, async () => {
        const epoch = (await this.#epochs()).get(type) ?? 0
        if (await keeping.isUnsent(this.#kept, type, aggregateId, epoch)) return 'unsent'
        const aggregates = this.#outboxes.aggregates.find(each => each.type === type)
        if (aggregates && !(await forgetSent(aggregates, aggregateId))) return 'unsent'
        return keeping.eraseKept(this.#kept, type, aggregateId)
      }),
    )
  }

  clean(keepMs: number): Promise<void> {
    return translated(async () => {
      const now = await this.#now()
      await keeping.deleteSent(this.#kept, new Date(now - keepMs), await this.#epochs())
    })
  }

  /** Documents number their own events, and there is nothing else. */
  async forget(): Promise<undefined> {}

  depth(): Promise<{ readonly pending: number; readonly oldestMs: number }> {
    return translated(async () => {
      const waiting = await countWaiting(this.#outboxes.aggregates)
      const again = await keeping.countUnsent(this.#kept, await this.#epochs())
      const now = Date.now()
      return {
        pending: waiting.reduce((sum, { pending }) => sum + pending, again),
        oldestMs: waiting.reduce((most, { oldest }) => Math.max(most, now - oldest), 0),
      }
    })
  }

  get #outbox() {
    return this.#db.collection<Named>('outbox')
  }

  get #kept() {
    return this.#db.collection<keeping.KeptEvent>('outboxEvents')
  }

  async #epochs(): Promise<keeping.Epochs> {
    const found = await this.#outbox.find({ epoch: { $exists: true } }).toArray()
    return new Map(found.map(({ _id, epoch }) => [_id.slice(STREAM.length), epoch]))
  }

  /** The server's time. */
  async #now(): Promise<number> {
    const { localTime } = await this.#db.command({ hello: 1 })
    return localTime.getTime()
  }
}

type Numbers = ReadonlyMap<string, number | undefined>

/** The events of a document before the first one that was not accepted. */
function upToUnsent(events: readonly NumberedEvent[], streamOf: Numbers): readonly NumberedEvent[] {
  const end = events.findIndex(({ id }) => streamOf.get(id) === undefined)
  return end < 0 ? events : events.slice(0, end)
}

function sentOf(events: readonly NumberedEvent[], streamOf: Numbers): keeping.Sent[] {
  return events.flatMap(event => {
    const stream = streamOf.get(event.id)
    return stream === undefined ? [] : [{ event, stream }]
  })
}
