import { type AnyBulkWriteOperation, type Collection, MongoBulkWriteError } from 'mongodb'
import type { NumberedEvent } from '../stores/index.ts'
import type { IndexDefinition } from './indexes.ts'

/** A sent event in the collection `outboxEvents`, as long as it may have to be sent again. */
export interface KeptEvent extends Omit<NumberedEvent, 'id' | 'context'> {
  readonly _id: string
  /** JSON text. */
  readonly context: string
  /** Its number in the stream. */
  readonly stream: number
  /** How often its type had been sent again when this was sent. A lower one than now: it is to be sent again. */
  readonly epoch: number
  readonly sentAt: Date
}

/** Of an event that is never sent again. */
const ERASED = Number.MAX_SAFE_INTEGER
/** How many documents are deleted at a time. */
const STEP = 1000

export const KEPT_INDEXES: readonly IndexDefinition<KeptEvent>[] = [
  { key: { type: 1, epoch: 1, sequence: 1 } },
  { key: { type: 1, aggregateId: 1 } },
  { key: { sentAt: 1 } },
]

/** By type, how often it was sent again. */
export type Epochs = ReadonlyMap<string, number>

/** A late write of a relay that has lost its turn has an epoch from before, too, so its event is sent once more than needed. */
const unsentOf = (type: string, epoch: number) => ({ type, epoch: { $in: [...Array(epoch).keys()] } })

/** What has to be sent again: of each aggregate the first ones, in order. */
export async function readUnsent(kept: Collection<KeptEvent>, epochs: Epochs, limit: number): Promise<NumberedEvent[]> {
  const unsent: NumberedEvent[] = []
  for (const [type, epoch] of epochs) {
    if (epoch === 0 || unsent.length >= limit) continue
    const found = await kept
      .find(unsentOf(type, epoch))
      .sort({ sequence: 1 })
      .limit(limit - unsent.length)
      .toArray()
    for (const { _id, stream, epoch: _, sentAt, context, ...event } of found)
      unsent.push({ id: _id, ...event, context: JSON.parse(context) })
  }
  return unsent
}

export interface Sent {
  readonly event: NumberedEvent
  readonly stream: number
}

/** Keeps events that were taken from documents. Those that are kept already were sent by one who has died since. */
export async function keepSent(
  kept: Collection<KeptEvent>,
  sent: readonly Sent[],
  epochs: Epochs,
  sentAt: Date,
): Promise<void> {
  if (sent.length === 0) return
  const documents = sent.map(({ event: { id, context, ...event }, stream }): KeptEvent => {
    const epoch = epochs.get(event.type) ?? 0
    return { _id: id, ...event, context: JSON.stringify(context), stream, epoch, sentAt }
  })
  try {
    await kept.insertMany(documents, { ordered: false })
  } catch (error) {
    const errors = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : []
    if (errors.length === 0 || errors.some(({ code }) => code !== 11000)) throw error
  }
}

/** Records that kept events were sent again. */
export async function recordAgain(
  kept: Collection<KeptEvent>,
  sent: readonly Sent[],
  epochs: Epochs,
  sentAt: Date,
): Promise<void> {
  const operations = sent.map(({ event: { id, type }, stream }): AnyBulkWriteOperation<KeptEvent> => {
    const epoch = epochs.get(type) ?? 0
    return { updateOne: { filter: { _id: id, epoch: { $lt: epoch } }, update: { $set: { epoch, stream, sentAt } } } }
  })
  if (operations.length > 0) await kept.bulkWrite(operations, { ordered: false })
}

/** Before the epoch of a type is raised to this one: those that the stream still has stay sent. @returns how many do not */
export async function keepUpTo(
  kept: Collection<KeptEvent>,
  type: string,
  epoch: number,
  stream: number,
): Promise<number> {
  await kept.updateMany({ type, stream: { $lte: stream }, epoch: { $lt: epoch } }, { $set: { epoch } })
  return kept.countDocuments(unsentOf(type, epoch))
}

export async function isUnsent(kept: Collection<KeptEvent>, type: string, aggregateId: string, epoch: number) {
  return (await kept.countDocuments({ type, aggregateId, epoch: { $lt: epoch } }, { limit: 1 })) > 0
}

export async function eraseKept(kept: Collection<KeptEvent>, type: string, aggregateId: string): Promise<number[]> {
  const its = { type, aggregateId }
  const found = await kept.find(its, { projection: { stream: 1 } }).toArray()
  await kept.updateMany(its, { $set: { data: '', context: '{}', epoch: ERASED } })
  return found.map(({ stream }) => stream)
}

/** Deletes what was sent before this time, in small steps. */
export async function deleteSent(kept: Collection<KeptEvent>, before: Date, epochs: Epochs): Promise<void> {
  const $nor = [...epochs].filter(([, epoch]) => epoch > 0).map(([type, epoch]) => ({ type, epoch: { $lt: epoch } }))
  const old = { sentAt: { $lt: before }, ...($nor.length > 0 ? { $nor } : {}) }
  for (;;) {
    const found = await kept.find(old, { projection: { _id: 1 }, limit: STEP }).toArray()
    if (found.length > 0) await kept.deleteMany({ ...old, _id: { $in: found.map(({ _id }) => _id) } })
    if (found.length < STEP) return
  }
}

export async function countUnsent(kept: Collection<KeptEvent>, epochs: Epochs): Promise<number> {
  let count = 0
  for (const [type, epoch] of epochs) if (epoch > 0) count += await kept.countDocuments(unsentOf(type, epoch))
  return count
}
