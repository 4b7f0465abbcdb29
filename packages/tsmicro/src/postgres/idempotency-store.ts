import { AsyncLocalStorage } from 'node:async_hooks'
import { type Kysely, sql, type Transaction } from 'kysely'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import {
  type IdempotencyClaim,
  type IdempotencyRecord,
  type IdempotencyStore,
  WITHOUT_ANSWER,
} from '../stores/index.ts'
import { isMissingTable } from './errors.ts'
import { refuse } from './transactions.ts'

/** Between two clean-ups. */
const CLEAN_MS = 60_000
/** How many answers one statement deletes, so that none takes long. */
const MOST_CLEANED = 10_000
/** A claim that fails because of a record which is gone when it is read is repeated. */
const MOST_ATTEMPTS = 5

const inMs = (ms: number) => sql`now() + ${ms} * interval '1 millisecond'`

export interface PostgresIdempotencyStore extends IdempotencyStore {
  /**
   * Makes a handler's effect and the record of its call one: in the transaction that has the effect. Then the effect happens once, even if
   * the process dies before the answer is kept, or the call takes so long that another one has begun: in that case it rejects, and the
   * transaction has to be rolled back. Does nothing for a call without a key.
   * @throws {SERVICE_UNAVAILABLE} when another call has claimed the key since
   */
  confirm<DB>(transaction: Transaction<DB>): Promise<void>
}

/** Answers in the table `idempotency_keys`, which is created when it is missed first. All times are the server's. */
export function createIdempotencyStore<DB>(db: Kysely<DB>): PostgresIdempotencyStore {
  const current = new AsyncLocalStorage<IdempotencyClaim>()
  let cleaning = false
  /** As long as there are answers, and without keeping the process alive. */
  const cleanLater = () => {
    if (cleaning) return
    cleaning = true
    setTimeout(async () => {
      const left = await deleteLapsed(db).catch(() => false)
      cleaning = false
      if (left) cleanLater()
    }, CLEAN_MS).unref()
  }
  return {
    async claim(claim) {
      cleanLater()
      try {
        return await claimIn(db, claim)
      } catch (error) {
        if (!isMissingTable(error)) throw error
        await createTable(db)
        return claimIn(db, claim)
      }
    },
    complete: (claim, answer) => completeIn(db, claim, answer),
    async release({ id, fence }) {
      await sql`DELETE FROM idempotency_keys WHERE id = ${id} AND fence = ${fence} AND answer IS NULL`.execute(db)
    },
    handle: (claim, handle) => current.run(claim, handle),
    async confirm(transaction) {
      const claim = current.getStore()
      if (claim && !(await confirmIn(transaction, claim)))
        refuse(
          transaction,
          new SERVICE_UNAVAILABLE(undefined, { cause: new Error('another call with this Idempotency-Key has begun') }),
        )
    },
  }
}

async function claimIn<DB>(db: Kysely<DB>, claim: IdempotencyClaim): Promise<IdempotencyRecord | undefined> {
  const { id, fingerprint, fence, leaseMs } = claim
  for (let attempt = 1; ; attempt++) {
    const claimed = await sql`
      INSERT INTO idempotency_keys AS known (id, fingerprint, fence, expires_at)
      VALUES (${id}, ${fingerprint}, ${fence}, ${inMs(leaseMs)})
      ON CONFLICT (id) DO UPDATE
        SET fingerprint = excluded.fingerprint, fence = excluded.fence, answer = NULL, expires_at = excluded.expires_at
        WHERE known.expires_at <= now()`.execute(db)
    if (claimed.numAffectedRows === 1n) return undefined
    const { rows } = await sql<{ fingerprint: string; answer: string | null }>`
      SELECT fingerprint, answer FROM idempotency_keys WHERE id = ${id} AND expires_at > now()`.execute(db)
    if (rows[0]) return { fingerprint: rows[0].fingerprint, answer: rows[0].answer ?? undefined }
    // It has lapsed or was released since. If that happens again and again, others are at work with this key.
    if (attempt >= MOST_ATTEMPTS) return { fingerprint, answer: undefined }
  }
}

async function completeIn<DB>(db: Kysely<DB>, claim: IdempotencyClaim, answer: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE idempotency_keys SET answer = ${answer}, expires_at = ${inMs(claim.keepMs)}
    WHERE id = ${claim.id} AND fence = ${claim.fence}`.execute(db)
  return numAffectedRows === 1n
}

/** An answer that is already kept stays: work in the background may confirm later than its call was answered. */
async function confirmIn<DB>(db: Kysely<DB>, claim: IdempotencyClaim): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE idempotency_keys SET answer = coalesce(answer, ${WITHOUT_ANSWER}), expires_at = ${inMs(claim.keepMs)}
    WHERE id = ${claim.id} AND fence = ${claim.fence}`.execute(db)
  return numAffectedRows === 1n
}

/** Several instances may find at the same time that the table is missing. */
async function createTable<DB>(db: Kysely<DB>): Promise<void> {
  await db.transaction().execute(async transaction => {
    await sql`SELECT pg_advisory_xact_lock(hashtext('tsmicro.idempotency_keys'))`.execute(transaction)
    await sql`
      CREATE TABLE IF NOT EXISTS idempotency_keys (
        id text PRIMARY KEY, fingerprint text NOT NULL, fence text NOT NULL, answer text, expires_at timestamptz NOT NULL
      )`.execute(transaction)
    await sql`CREATE INDEX IF NOT EXISTS idempotency_keys_expires_at ON idempotency_keys (expires_at)`.execute(
      transaction,
    )
  })
}

/** Deletes what has lapsed. Resolves to whether anything is left. */
export async function deleteLapsed<DB>(db: Kysely<DB>): Promise<boolean> {
  for (;;) {
    const { numAffectedRows } = await sql`
      DELETE FROM idempotency_keys WHERE id IN (
        SELECT id FROM idempotency_keys WHERE expires_at <= now() LIMIT ${MOST_CLEANED} FOR UPDATE SKIP LOCKED
      )`.execute(db)
    if (numAffectedRows !== BigInt(MOST_CLEANED)) break
  }
  const { rows } = await sql`SELECT 1 FROM idempotency_keys LIMIT 1`.execute(db)
  return rows.length > 0
}
