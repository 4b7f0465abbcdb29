import { type Kysely, sql, type Transaction } from 'kysely'
import type { OutboxStore, StoredEvent, StreamState } from '../stores/index.ts'
import { isLockTimeout } from './errors.ts'
import { createOutboxTables } from './event-tables.ts'
import { Forgetting, numberAndKeep } from './outbox-numbers.ts'
import { resend, type Snapshot, sendAll, takeTurn, waitForTurn } from './outbox-turn.ts'
import { whenEnded } from './transactions.ts'

/** How many rows one statement changes, so that none takes long. */
const STEP = 5000
/** After a restore or a failover, the ids of new transactions may be lower than those seen before. */
const LOOK_AT_ALL_MS = 30_000

/** How long an erasure waits for a lock before it is tried again. */
const LOCK_MS = 1000

type Relaying = Parameters<OutboxStore<unknown>['relay']>

/**
 * Events in the table `tsmicro_outbox`. All unsent rows are looked for, as transactions become visible in another order than they begin;
 * but those of one aggregate follow each other.
 */
export class PostgresOutboxStore<DB> implements OutboxStore<Transaction<DB>> {
  readonly effect = 'postgres'
  readonly #db: Kysely<DB>
  readonly #listeners = new Set<() => void>()
  /** All that was visible then is sent, as far as this process knows. */
  #sentAt: Snapshot | undefined
  #lookedAtAllAt = Number.NEGATIVE_INFINITY
  readonly #forgetting = new Forgetting()

  constructor(db: Kysely<DB>) {
    this.#db = db
  }

  prepare(): Promise<void> {
    return createOutboxTables(this.#db)
  }

  async add(
    transaction: Transaction<DB>,
    event: StoredEvent,
    { restart, after = 0 }: Parameters<OutboxStore<unknown>['add']>[2],
  ): Promise<void> {
    if (!transaction.isTransaction)
      throw new TypeError('an event is added in a transaction: give it that, not the database')
    let added = await numberAndKeep(transaction, event, { restart, after })
    // Its aggregate was forgotten meanwhile. From now on the row is ours.
    while (!added) added = await numberAndKeep(transaction, event, { restart: true, after })
    whenEnded(transaction, committed => {
      if (committed) for (const listener of this.#listeners) listener()
    })
  }

  onCommitted(listener: () => void): void {
    this.#listeners.add(listener)
  }

  async relay(...[send, limit, more]: Relaying): Promise<number | 'busy'> {
    const began = performance.now()
    const known = this.#sentAt
    const since = began - this.#lookedAtAllAt < LOOK_AT_ALL_MS ? known : undefined
    // Unknown if the turn fails: the next connection may be to another server.
    this.#sentAt = undefined
    const turn = await this.#db
      .transaction()
      .execute(async transaction =>
        (await takeTurn(transaction)) ? sendAll(transaction, send, { since, limit, more }) : 'busy',
      )
    if (turn === 'busy') {
      this.#sentAt = known
      return turn
    }
    if (!since) this.#lookedAtAllAt = began
    this.#sentAt = turn.sentAt
    return turn.sent
  }

  async streamState(type: string): Promise<StreamState | undefined> {
    const { rows } = await sql<{ created: string; last: string }>`
      SELECT created, last_sequence AS last FROM tsmicro_outbox_streams WHERE type = ${type}`.execute(this.#db)
    return rows[0] && { created: rows[0].created, lastSequence: Number(rows[0].last) }
  }

  async recordStream(type: string, state: StreamState, options?: { readonly resendAfter: number }): Promise<number> {
    const { created, lastSequence } = state
    return this.#db.transaction().execute(async transaction => {
      const again = options ? await resend(transaction, type, options.resendAfter) : 0
      // Another relay may have sent more since the stream was asked.
      await sql`
        INSERT INTO tsmicro_outbox_streams AS known (type, created, last_sequence) VALUES (${type}, ${created}, ${lastSequence})
        ON CONFLICT (type) DO UPDATE SET created = excluded.created, last_sequence = CASE
          WHEN ${options === undefined} AND known.created = excluded.created
            THEN greatest(known.last_sequence, excluded.last_sequence) ELSE excluded.last_sequence
        END`.execute(transaction)
      return again
    })
  }

  async erase(type: string, aggregateId: string): Promise<readonly number[] | 'unsent'> {
    const its = sql`type = ${type} AND aggregate_id = ${aggregateId}`
    const erasing = this.#db.transaction().execute(async (transaction): Promise<readonly number[] | 'unsent'> => {
      // Waits for transactions that add an event, and meanwhile the others' events are sent.
      await sql`SELECT set_config('lock_timeout', ${String(LOCK_MS)}, true)`.execute(transaction)
      await sql`SELECT 1 FROM tsmicro_outbox_aggregates WHERE ${its} FOR UPDATE`.execute(transaction)
      await waitForTurn(transaction)
      const unsent = await sql`SELECT 1 FROM tsmicro_outbox WHERE ${its} AND sent_at IS NULL LIMIT 1`.execute(
        transaction,
      )
      if (unsent.rows.length > 0) return 'unsent'
      await sql`UPDATE tsmicro_outbox_aggregates SET first = last + 1 WHERE ${its}`.execute(transaction)
      const { rows } = await sql<{ number: string }>`
        UPDATE tsmicro_outbox SET data = NULL, context = '{}' WHERE ${its} RETURNING stream_sequence AS number`.execute(
        transaction,
      )
      return rows.map(({ number }) => Number(number))
    })
    return erasing.catch((error: unknown) => {
      if (isLockTimeout(error)) return 'unsent' as const
      throw error
    })
  }

  async clean(keepMs: number): Promise<void> {
    for (;;) {
      const { numAffectedRows } = await sql`
        DELETE FROM tsmicro_outbox WHERE (type, aggregate_id, sequence) IN (
          SELECT type, aggregate_id, sequence FROM tsmicro_outbox WHERE sent_at < now() - ${keepMs} * interval '1 millisecond'
          ORDER BY sent_at LIMIT ${sql.lit(STEP)} FOR UPDATE SKIP LOCKED
        )`.execute(this.#db)
      if (numAffectedRows !== BigInt(STEP)) return
    }
  }

  forget(): Promise<number | undefined> {
    return this.#db.transaction().execute(transaction => this.#forgetting.some(transaction))
  }

  async depth(): Promise<{ readonly pending: number; readonly oldestMs: number }> {
    const { rows } = await sql<{ pending: string; oldest: number | null }>`
      SELECT count(*) AS pending, (
        SELECT extract(epoch FROM clock_timestamp() - added_at)::float8 * 1000 FROM tsmicro_outbox
        WHERE sent_at IS NULL ORDER BY position LIMIT 1
      ) AS oldest FROM tsmicro_outbox WHERE sent_at IS NULL`.execute(this.#db)
    return { pending: Number(rows[0]?.pending), oldestMs: Math.max(0, rows[0]?.oldest ?? 0) }
  }
}
