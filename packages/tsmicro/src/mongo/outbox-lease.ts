import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Collection, Document } from 'mongodb'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { isDuplicateKey } from './errors.ts'

const LEASE_MS = 5000
const MOST_WAITED_MS = 3 * LEASE_MS
const POLL_MS = 20

/** The right to be the only one who sends events of a database. By the server's clock, so that those of instances do not matter. */
export interface Turn {
  /** The server's time when the turn began. */
  readonly begun: Date
  /** Whether no other one can have had a turn since, as far as is known here: a paused process may be late. */
  lasts(): boolean
  /** Resolves to false if another one has had a turn since. */
  stillOwn(): Promise<boolean>
}

const until = { $add: ['$$NOW', LEASE_MS] }

/** Does something in a turn, or returns undefined if another one has it. */
export async function inTurn<T>(outbox: Collection<Named>, act: (turn: Turn) => Promise<T>): Promise<T | undefined> {
  const holder = randomUUID()
  let asked = performance.now()
  const taken = await take(outbox, holder)
  if (!taken) return undefined
  const renew = async () => {
    const began = performance.now()
    const { matchedCount } = await outbox.updateOne({ _id: LEASE, holder }, [{ $set: { until } }])
    if (matchedCount > 0) asked = began
    return matchedCount > 0
  }
  const renewal = setInterval(() => renew().catch(() => {}), LEASE_MS / 3)
  try {
    return await act({ begun: taken, lasts: () => performance.now() < asked + LEASE_MS, stillOwn: renew })
  } finally {
    clearInterval(renewal)
    // If it fails, the lease ends by itself.
    await outbox.updateOne({ _id: LEASE, holder }, { $unset: { until: '' } }).catch(() => {})
  }
}

/** Like {@link inTurn}, but waits. @throws {SERVICE_UNAVAILABLE} if nobody comes to an end */
export async function inOwnTurn<T>(outbox: Collection<Named>, act: () => Promise<T>): Promise<T> {
  for (let waited = 0; waited < MOST_WAITED_MS; waited += POLL_MS) {
    const done = await inTurn(outbox, async () => ({ result: await act() }))
    if (done) return done.result
    await sleep(POLL_MS)
  }
  throw new SERVICE_UNAVAILABLE(undefined, { retryAfterSeconds: 1 })
}

export interface Named extends Document {
  readonly _id: string
}

const LEASE = 'relay'

async function take(outbox: Collection<Named>, holder: string): Promise<Date | undefined> {
  const isFree = { $lte: ['$until', '$$NOW'] }
  const change = {
    holder: { $cond: [isFree, holder, '$holder'] },
    until: { $cond: [isFree, until, '$until'] },
    begun: { $cond: [isFree, '$$NOW', '$begun'] },
  }
  const options = { upsert: true, returnDocument: 'after' } as const
  try {
    const lease = await outbox.findOneAndUpdate({ _id: LEASE }, [{ $set: change }], options)
    return lease?.holder === holder ? (lease.begun as Date) : undefined
  } catch (error) {
    // Another one has inserted it at the same time.
    if (isDuplicateKey(error)) return undefined
    throw error
  }
}
