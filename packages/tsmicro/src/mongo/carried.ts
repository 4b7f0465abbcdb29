import type { Collection, Document, ObjectId } from 'mongodb'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { attemptOf, type Mark } from './attempt.ts'
import { MOST_PENDING, MOST_PENDING_BYTES, type MongoChange, type PendingEvent } from './change.ts'
import { isDuplicateKey } from './errors.ts'
import { INBOX, keeping, OUTBOX } from './reserved.ts'

/** What a write carries besides its data. It then needs a filter with the document's `_id`. */
export interface CarryOptions {
  /** The events of this change are kept if and only if the document is changed. */
  readonly change?: MongoChange | undefined
  /** The event that is being handled: the document is changed once for it, however often it comes. */
  readonly event?: object | undefined
}

/** What the collection of a write is to its events. */
export interface Carrying {
  readonly collection: Collection<Document>
  /** The kind of aggregate that its documents are. */
  readonly aggregate: string | undefined
  /** Called after a change with events. */
  readonly committed: () => void
}

/** A write that carries something: `applied` is what it has returned, `earlier` the document that was changed for the event before. */
export type Outcome<T> = { readonly applied: T } | { readonly earlier: Document } | 'unmatched'

/** What others are told about must not be lost with the last moments before a crash. */
export const DURABLE = { writeConcern: { w: 'majority', j: true } } as const
/** Between finding that a write matched nothing and finding out why, the document may have changed. */
const MOST_ATTEMPTS = 5
const PENDING = `${OUTBOX}.pending`
const BYTES = `${OUTBOX}.bytes`
const WAITING = `${OUTBOX}.waiting`

/**
 * Does a write together with its events.
 * @param target the document; an insert has no filter
 * @param write gets the parts to add. Resolves to undefined if no document matched.
 * @throws {SERVICE_UNAVAILABLE} if too many events of the document wait to be sent
 */
export async function carry<T>(
  carrying: Carrying,
  { change, event }: CarryOptions,
  { _id, filter }: { readonly _id?: unknown; readonly filter?: Document },
  write: (carried: Carried) => Promise<T | undefined>,
): Promise<Outcome<T>> {
  assertIdentified(_id)
  const { collection, aggregate } = carrying
  const inMarked = async (mark: Mark | undefined): Promise<Outcome<T>> => {
    const taken = change?.take(aggregate, _id) ?? { events: [], bytes: 0 }
    const outcome = await attempts(collection, new Carried(taken, mark), { _id, filter }, write).catch(error => {
      if (isDuplicateKey(error)) change?.putBack()
      throw error
    })
    if (outcome === 'unmatched') change?.putBack()
    else if ('applied' in outcome && taken.events.length > 0) carrying.committed()
    return outcome
  }
  return event ? attemptOf(event).write(`${collection.collectionName} ${String(_id)}`, inMarked) : inMarked(undefined)
}

async function attempts<T>(
  collection: Collection<Document>,
  carried: Carried,
  { _id, filter }: { readonly _id: unknown; readonly filter: Document | undefined },
  write: (carried: Carried) => Promise<T | undefined>,
): Promise<Outcome<T>> {
  for (let attempt = 1; ; attempt++) {
    let duplicate: unknown
    const result = await write(carried).catch(error => {
      if (!isDuplicateKey(error, '_id')) throw error
      duplicate = error
    })
    if (result !== undefined) return { applied: result }
    const found = await collection.findOne({ _id: _id as ObjectId })
    if (found && carried.isMarked(found)) return { earlier: found }
    const matches = found && filter && (await collection.countDocuments(filter, { limit: 1 })) > 0
    if (matches && carried.isTooMuch(found))
      throw new SERVICE_UNAVAILABLE(undefined, {
        cause: new Error(`too many events of ${collection.collectionName} ${String(_id)} wait to be sent`),
        retryAfterSeconds: 1,
      })
    // A duplicate key of an upsert: the document does not match, or another one has inserted it just now.
    if (duplicate && !filter) throw duplicate
    if (attempt === MOST_ATTEMPTS || !(matches || (duplicate && !found))) return 'unmatched'
  }
}

/** What is added to a write, in each of its forms. */
export class Carried {
  readonly #events: readonly PendingEvent[]
  readonly #bytes: number
  readonly #mark: Mark | undefined

  constructor({ events, bytes }: { events: readonly PendingEvent[]; bytes: number }, mark: Mark | undefined) {
    this.#events = events
    this.#bytes = bytes
    this.#mark = mark
  }

  /** The filter, which no longer matches a document that has too many events or was changed for this one. */
  filter(filter: Document): Document {
    const room = {
      [`${PENDING}.${MOST_PENDING - this.#events.length}`]: { $exists: false },
      [BYTES]: { $not: { $gt: MOST_PENDING_BYTES - this.#bytes } },
    }
    const unmarked = this.#mark && { [`${INBOX}.${this.#mark.key}`]: { $not: { $gte: this.#mark.value } } }
    return { ...filter, ...(this.#events.length > 0 ? room : {}), ...unmarked }
  }

  update(update: Document | readonly Document[]): Document | Document[] {
    if (Array.isArray(update)) return [...keeping(update), ...this.#stages()]
    const { $set, $push, $inc } = update as Document
    const marked = this.#mark ? { ...update, $set: { ...$set, ...this.#marked() } } : (update as Document)
    if (this.#events.length === 0) return marked
    return {
      ...marked,
      $set: { ...marked.$set, [WAITING]: true },
      $push: { ...$push, [PENDING]: { $each: this.#events } },
      $inc: { ...$inc, [BYTES]: this.#bytes },
    }
  }

  document(document: Document): Document {
    return {
      ...document,
      ...(this.#events.length > 0 ? { [OUTBOX]: { pending: this.#events, bytes: this.#bytes, waiting: true } } : {}),
      ...(this.#mark ? { [INBOX]: { [this.#mark.key]: this.#mark.value } } : {}),
    }
  }

  isMarked(document: Document): boolean {
    return this.#mark !== undefined && (document[INBOX]?.[this.#mark.key] ?? 0) >= this.#mark.value
  }

  isTooMuch({ [OUTBOX]: { pending = [], bytes = 0 } = {} }: Document): boolean {
    return pending.length + this.#events.length > MOST_PENDING || bytes + this.#bytes > MOST_PENDING_BYTES
  }

  #marked(): Document {
    return this.#mark ? { [`${INBOX}.${this.#mark.key}`]: this.#mark.value } : {}
  }

  #stages(): Document[] {
    const added = {
      [PENDING]: { $concatArrays: [{ $ifNull: [`$${PENDING}`, []] }, { $literal: this.#events }] },
      [BYTES]: { $add: [{ $ifNull: [`$${BYTES}`, 0] }, this.#bytes] },
      [WAITING]: true,
    }
    const $set = { ...(this.#events.length > 0 ? added : {}), ...this.#marked() }
    return Object.keys($set).length > 0 ? [{ $set }] : []
  }
}

function assertIdentified(_id: unknown): void {
  const isPlain = typeof _id !== 'object' || (_id !== null && Object.getPrototypeOf(_id) !== Object.prototype)
  if (_id === undefined || _id === null || !isPlain)
    throw new TypeError('a write with { change } or { event } names the document by its _id')
}
