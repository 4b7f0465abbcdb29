import { createHash } from 'node:crypto'
import { type Attempt, type InboxKey, type InboxStore, USE_RECORDED_MS } from '../stores/index.ts'
import { attemptOf, type InboxRow, RunningAttempt } from './attempt.ts'
import { DURABLE } from './carried.ts'
import { isDuplicateKey } from './errors.ts'
import type { IndexDefinition } from './indexes.ts'
import type { QueryBuilder } from './query-builder.ts'

export interface MongoInboxStore extends InboxStore {
  /** For a handler that changes no document for its event: what it does may then happen twice, if the process dies before its end. */
  record(event: object): Promise<void>
}

export const INBOX_INDEX: IndexDefinition<InboxRow> = { key: { consumer: 1, usedAt: 1 } }
/** How many rows are removed at a time. */
const STEP = 1000

/**
 * Rows in the collection `inbox`. A document that is changed for an event carries its number, so the row may follow later: whoever repeats
 * the event finds that number in the document.
 */
export function createInboxStore(rows: QueryBuilder<InboxRow>): MongoInboxStore {
  const insert = async (key: InboxKey, number: number): Promise<InboxRow | undefined> => {
    const { consumer, type, aggregateId } = key
    const row = { _id: idOf(key), consumer, type, aggregateId, number, usedAt: new Date(), generation: 0 }
    try {
      await rows.run(collection => collection.insertOne(row, DURABLE))
      return row
    } catch (error) {
      if (isDuplicateKey(error)) return undefined
      throw error
    }
  }
  /** A document that carries a number has a row, so that a reset reaches it. */
  const rowOf = async (key: InboxKey): Promise<InboxRow> =>
    (await rows.findOne({ _id: idOf(key) })) ?? (await insert(key, 0)) ?? rowOf(key)
  const read = async (keys: readonly InboxKey[]): Promise<number[]> => {
    const ids = keys.map(idOf)
    const found = await rows.find({ _id: { $in: ids } }, { select: ['number', 'usedAt'] })
    const numbers = new Map(found.map(({ _id, number }) => [_id, number]))
    const usedAt = new Date()
    const recorded = usedAt.getTime() - USE_RECORDED_MS
    const unused = found.flatMap(row => ((row.usedAt?.getTime() ?? 0) < recorded ? [row._id] : []))
    if (unused.length > 0)
      await rows.run(collection => collection.updateMany({ _id: { $in: unused } }, { $set: { usedAt } }, DURABLE))
    return ids.map(id => numbers.get(id) ?? 0)
  }
  const advance = async (attempt: Attempt): Promise<boolean> => {
    const { from, to } = attempt
    if (from >= to) return from === to
    const own = { _id: idOf(attempt), number: from }
    const step = { $set: { number: to, usedAt: new Date() } }
    const { matchedCount } = await rows.run(collection => collection.updateOne(own, step, DURABLE))
    return matchedCount === 1 || (from === 0 && (await insert(attempt, to)) !== undefined)
  }
  return {
    effect: 'mongodb',
    async prepare() {
      await rows.ensureIndexes()
    },
    read,
    advance,
    begin(event, attempt) {
      new RunningAttempt(event, attempt, () => rowOf(attempt))
    },
    async record(event) {
      attemptOf(event).record()
    },
    async end(event, succeeded) {
      const running = attemptOf(event)
      const recorded = await running.end()
      if (!recorded || !succeeded) return false
      if (await advance(running.attempt)) return true
      const [number = 0] = await read([running.attempt])
      return number >= running.attempt.to
    },
    async forget({ consumer, type }, unusedSince) {
      // Documents may carry marks of a generation, which another row would not know.
      const unused = { consumer, type, generation: 0, usedAt: { $lt: unusedSince } }
      for (;;) {
        const some = await rows.find(unused, { select: [], limit: STEP })
        const chosen = { ...unused, _id: { $in: some.map(({ _id }) => _id) } }
        if (some.length > 0) await rows.run(collection => collection.deleteMany(chosen, DURABLE))
        if (some.length < STEP) return
      }
    },
    async reset(consumer) {
      await rows.run(collection =>
        collection.updateMany({ consumer }, { $set: { number: 0 }, $inc: { generation: 1 } }),
      )
    },
  }
}

/** Names the row, and the mark in documents, so it is short and has no dots. */
function idOf({ consumer, type, aggregateId }: InboxKey): string {
  return createHash('sha256').update(`${consumer} ${type} ${aggregateId}`).digest('base64url').slice(0, 24)
}
