import { Buffer } from 'node:buffer'
import type { StoredEvent } from '../stores/index.ts'

/** The most events that wait in a document, and the most bytes of them. */
export const MOST_PENDING = 100
export const MOST_PENDING_BYTES = 1024 * 1024
/** What an event takes besides its data and context. */
const OVERHEAD_BYTES = 300

/** An event as it waits in the document of its aggregate. Its number follows from its place. */
export interface PendingEvent {
  readonly id: string
  readonly subject: string
  readonly version: number
  readonly time: string
  /** When it was added, in milliseconds since 1970. */
  readonly at: number
  readonly data: string
  /** JSON text. */
  readonly context: string
  /** No lower number than that of this event can be expected. */
  readonly restart?: true
}

/**
 * The change of one document together with the events that announce it: what `outbox.add` takes where PostgreSQL has a transaction. Made by
 * `Mongo.change`.
 *
 * @example
 * const rename = (change: MongoChange) => blogs.updateOne({ _id: id }, { $set: { title: 'Hello' } }, { change })
 * await mongo.change(rename)
 */
export class MongoChange {
  readonly #events: PendingEvent[] = []
  #type = ''
  #aggregateId = ''
  #bytes = 0
  /** `tried`: nothing was changed, because no document matched or the server has refused it. */
  #state: 'new' | 'tried' | 'written' = 'new'

  /** Called by the outbox. */
  add({ type, aggregateId, context, ...event }: StoredEvent, restart: boolean): void {
    if (this.#state === 'written') throw new TypeError('the change is written: events are added before that')
    if (this.#events.length > 0 && (type !== this.#type || aggregateId !== this.#aggregateId))
      throw new TypeError(
        `a change is about one document, ${this.#type} ${this.#aggregateId}: ${event.subject} of ${type} ${aggregateId} needs its own`,
      )
    const { id, subject, version, time, data } = event
    const pending = { id, subject, version, time, at: Date.now(), data, context: JSON.stringify(context) }
    const bytes = this.#bytes + bytesOf(pending)
    if (this.#events.length === MOST_PENDING || bytes > MOST_PENDING_BYTES)
      throw new RangeError(`a change may have ${MOST_PENDING} events and ${MOST_PENDING_BYTES} bytes of them`)
    this.#type = type
    this.#aggregateId = aggregateId
    this.#bytes = bytes
    this.#events.push(restart ? { ...pending, restart } : pending)
  }

  /** Called by the query builder. @throws {TypeError} if the events are not about this document, or are written already */
  take(type: string | undefined, _id: unknown): { readonly events: readonly PendingEvent[]; readonly bytes: number } {
    if (this.#events.length > 0 && type === undefined)
      throw new TypeError("declare what its documents are: mongo.collection(name, { aggregate: 'blog' })")
    if (this.#state === 'written')
      throw new TypeError('the change is written already: each document has its own change')
    if (this.#events.length > 0 && (type !== this.#type || String(_id) !== this.#aggregateId))
      throw new TypeError(
        `events of ${this.#type} ${this.#aggregateId} cannot be kept in ${type} ${String(_id)}: the aggregate is the changed document`,
      )
    this.#state = 'written'
    return { events: this.#events, bytes: this.#bytes }
  }

  /** Called by the query builder after a write that has changed nothing. */
  putBack(): void {
    this.#state = 'tried'
  }

  /** Called by `Mongo.change`. */
  assertWritten(): void {
    if (this.#events.length > 0 && this.#state === 'new')
      throw new TypeError(
        `${this.#events[0]?.subject} is lost: give the change to the write, as in updateOne(…, { change })`,
      )
  }
}

export function bytesOf({ data, context }: Pick<PendingEvent, 'data' | 'context'>): number {
  return Buffer.byteLength(data) + Buffer.byteLength(context) + OVERHEAD_BYTES
}
