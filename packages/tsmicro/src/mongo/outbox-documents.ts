import { type AnyBulkWriteOperation, type Collection, type Document, ObjectId } from 'mongodb'
import type { NumberedEvent } from '../stores/index.ts'
import { bytesOf, MOST_PENDING, type PendingEvent } from './change.ts'
import type { IndexDefinition } from './indexes.ts'
import { OUTBOX } from './reserved.ts'

/** Sent at a time at most, whatever the limit of events is. */
const MOST_BYTES = 8_000_000

/** What an aggregate's document holds of its events. */
interface Outbox {
  /** In order. The first one's number is `base` + 1. */
  readonly pending: readonly PendingEvent[]
  readonly bytes: number
  readonly base?: number
  /** No lower number can be expected. */
  readonly first?: number
}

/** A collection whose documents are aggregates of a type. */
export interface Aggregates {
  readonly type: string
  readonly collection: Collection<Document>
}

/** The events of a document, and where they are taken from when they are sent. */
export interface Waiting {
  readonly aggregates: Aggregates
  readonly _id: unknown
  readonly events: readonly NumberedEvent[]
}

/** Documents without waiting events have no entry. */
export const WAITING_INDEX: IndexDefinition = { name: OUTBOX, key: { [`${OUTBOX}.waiting`]: 1 }, sparse: true }

const waiting = { [`${OUTBOX}.waiting`]: true }

/** Waiting events: of each aggregate the first ones, in order. */
export async function readWaiting(all: readonly Aggregates[], limit: number): Promise<Waiting[]> {
  const found: Waiting[] = []
  let [left, bytes] = [limit, 0]
  for (const aggregates of all) {
    if (left <= 0 || bytes >= MOST_BYTES) break
    const cursor = aggregates.collection.find(waiting, { projection: { [OUTBOX]: 1 }, limit: left })
    for await (const { _id, [OUTBOX]: outbox } of cursor) {
      const events = numbered(aggregates.type, _id, outbox).slice(0, left)
      found.push({ aggregates, _id, events })
      left -= events.length
      bytes += outbox.bytes
      if (left <= 0 || bytes >= MOST_BYTES) break
    }
  }
  return found
}

function numbered(type: string, _id: unknown, { pending, base = 0, first = 1 }: Outbox): NumberedEvent[] {
  let lowest = first
  return pending.map(({ restart, at: _, context, ...event }, index) => {
    const sequence = base + index + 1
    if (restart) lowest = sequence
    return { ...event, type, aggregateId: String(_id), context: JSON.parse(context), sequence, first: lowest }
  })
}

/** Takes sent events out of their documents: those at the front, if they still are there. */
export async function removeSent(sent: readonly Waiting[]): Promise<void> {
  const byCollection = Map.groupBy(sent, ({ aggregates }) => aggregates.collection)
  for (const [collection, documents] of byCollection) {
    const operations = documents.map((each): AnyBulkWriteOperation => ({ updateOne: removal(each) }))
    await collection.bulkWrite(operations, { ordered: false })
  }
}

function removal({ _id, events }: Waiting): { filter: Document; update: Document[] } {
  const { length } = events
  const bytes = events.reduce((sum, { data, context }) => sum + bytesOf({ data, context: JSON.stringify(context) }), 0)
  const $set = {
    pending: { $slice: ['$_outbox.pending', length, MOST_PENDING] },
    bytes: { $subtract: ['$_outbox.bytes', bytes] },
    base: { $add: [{ $ifNull: ['$_outbox.base', 0] }, length] },
    first: events.at(-1)?.first ?? 1,
    waiting: { $cond: [{ $gt: [{ $size: '$_outbox.pending' }, length] }, true, '$$REMOVE'] },
  }
  return {
    filter: { _id, [`${OUTBOX}.pending.0.id`]: events[0]?.id },
    update: [{ $set: { [OUTBOX]: $set } }],
  }
}

/** The next event of a document says that no lower number can be expected. Resolves to false, and changes nothing, if events wait in it. */
export async function forgetSent({ collection }: Aggregates, aggregateId: string): Promise<boolean> {
  const its = { _id: { $in: idsOf(aggregateId) } } as Document
  const next = { $add: [{ $ifNull: [`$${OUTBOX}.base`, 0] }, 1] }
  const idle = { ...its, [OUTBOX]: { $exists: true }, [`${OUTBOX}.waiting`]: { $ne: true } }
  const { matchedCount } = await collection.updateOne(idle, [{ $set: { [`${OUTBOX}.first`]: next } }])
  return matchedCount > 0 || (await collection.countDocuments({ ...its, ...waiting }, { limit: 1 })) === 0
}

/** What an `_id` with this text may be. */
function idsOf(aggregateId: string): unknown[] {
  const number = Number(aggregateId)
  return [
    aggregateId,
    ...(ObjectId.isValid(aggregateId) ? [new ObjectId(aggregateId)] : []),
    ...(String(number) === aggregateId ? [number] : []),
  ]
}

/** How many events wait, and since when. */
export async function countWaiting(all: readonly Aggregates[]): Promise<{ pending: number; oldest: number }[]> {
  const found = await Promise.all(
    all.map(({ collection }) =>
      collection
        .aggregate<{ pending: number; oldest: number }>([
          { $match: waiting },
          {
            $group: {
              _id: null,
              pending: { $sum: { $size: `$${OUTBOX}.pending` } },
              oldest: { $min: { $arrayElemAt: [`$${OUTBOX}.pending.at`, 0] } },
            },
          },
        ])
        .toArray(),
    ),
  )
  return found.flat()
}
