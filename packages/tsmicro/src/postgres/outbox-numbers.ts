import { sql, type Transaction } from 'kysely'
import type { StoredEvent } from '../stores/index.ts'

/** How many aggregates one statement looks at. */
const STEP = 5000

/** Of this table alone: several schemas of a database may have one each. */
const FORGETTING = sql`hashtextextended('tsmicro.outbox.forgetting', 'tsmicro_outbox'::regclass::oid::bigint)`

/**
 * Gives an event its number, and keeps it. Resolves to false, and keeps nothing, if the number may have been given before: the row of its
 * aggregate was removed while the statement waited for it, when the floor from before was computed already.
 */
export async function numberAndKeep<DB>(
  transaction: Transaction<DB>,
  { id, subject, type, aggregateId, version, time, data, context }: StoredEvent,
  { restart, after }: { readonly restart: boolean; readonly after: number },
): Promise<boolean> {
  // The row of the aggregate is locked first, so the position is given under its lock.
  const { numAffectedRows } = await sql`
    WITH numbered AS (
      INSERT INTO tsmicro_outbox_aggregates AS known (type, aggregate_id, last, first)
      SELECT ${type}, ${aggregateId}, next, next
      FROM (SELECT greatest(last_value, ${after}::bigint) + 1 AS next FROM tsmicro_outbox_floor) AS new
      ON CONFLICT (type, aggregate_id) DO UPDATE SET
        last = CASE WHEN ${restart} THEN greatest(known.last + 1, excluded.last) ELSE known.last + 1 END,
        first = CASE WHEN ${restart} THEN greatest(known.last + 1, excluded.last) ELSE known.first END
      RETURNING last, first
    )
    INSERT INTO tsmicro_outbox (id, subject, type, aggregate_id, sequence, first, version, time, data, context)
    SELECT ${id}::uuid, ${subject}, ${type}, ${aggregateId}, last, first, ${version}::integer, ${time}, ${data}, ${JSON.stringify(context)}
    FROM numbered
    WHERE first < last OR last > (SELECT last_value FROM tsmicro_outbox_floor WHERE numbered.last > 0)`.execute(
    transaction,
  )
  return numAffectedRows === 1n
}

/** Names a row. */
interface Aggregate {
  readonly type: string
  readonly aggregateId: string
}

interface Found extends Aggregate {
  readonly last: string
  /** Without kept events. */
  readonly idle: boolean
  /** Has not been forgotten in time: its next event, which waits, does not say that no lower number can be expected. */
  readonly returns: boolean
  readonly oldest: number
  /** Of the aggregates of this part. */
  readonly count: string
}

const FIRST: Aggregate = { type: '', aggregateId: '' }

/** A part of all aggregates after the other: from the first to the last one. */
export class Forgetting {
  #after = FIRST
  /** When the oldest event was sent that was kept at the beginning, in milliseconds. */
  #oldest: number | undefined
  /** No row has stayed of an aggregate whose last event was sent before that. */
  #whole = true

  /**
   * Removes the rows of aggregates that have no kept events, of the next part. Their events are no longer in the stream, so whoever comes back
   * begins above the floor, and says that no lower number can be expected.
   * @returns after the last part: all whose last event was sent before this time are forgotten
   */
  async some<DB>(transaction: Transaction<DB>): Promise<number | undefined> {
    // Raising the floor is a read and a write.
    const turn = await sql<{ mine: boolean }>`SELECT pg_try_advisory_xact_lock(${FORGETTING}) AS mine`.execute(
      transaction,
    )
    if (!turn.rows[0]?.mine) return undefined
    const { type, aggregateId } = this.#after
    const { rows } = await sql<Found>`
      WITH page AS MATERIALIZED (
        SELECT type, aggregate_id, last FROM tsmicro_outbox_aggregates
        WHERE (type, aggregate_id) > (${type}, ${aggregateId}) ORDER BY type, aggregate_id LIMIT ${sql.lit(STEP)}
      ), oldest AS MATERIALIZED (
        SELECT extract(epoch FROM coalesce(min(sent_at), now()))::float8 * 1000 AS oldest FROM tsmicro_outbox WHERE sent_at IS NOT NULL
      )
      SELECT * FROM (
        SELECT type, aggregate_id AS "aggregateId", last, count(*) OVER () AS count, oldest,
          row_number() OVER (ORDER BY type DESC, aggregate_id DESC) = 1 AS ends,
          kept.sequence IS NULL AS idle, kept.sent_at IS NULL AND kept.first < kept.sequence AS returns
        FROM page CROSS JOIN oldest LEFT JOIN LATERAL (
          SELECT sequence, first, sent_at FROM tsmicro_outbox AS event
          WHERE (event.type, event.aggregate_id) = (page.type, page.aggregate_id) ORDER BY event.type, event.aggregate_id, sequence LIMIT 1
        ) AS kept ON true
      ) AS found WHERE idle OR returns OR ends ORDER BY type, "aggregateId"`.execute(transaction)
    const idle = rows.filter(row => row.idle)
    const removed = idle.length > 0 ? await remove(transaction, idle) : 0
    const end = rows.at(-1)
    if (this.#after === FIRST) {
      this.#oldest = end?.oldest
      this.#whole = true
    }
    if (removed < idle.length || rows.some(row => row.returns)) this.#whole = false
    this.#after = end && Number(end.count) === STEP ? end : FIRST
    return this.#after === FIRST && this.#whole ? this.#oldest : undefined
  }
}

/** Those that have another event since, or are getting one, stay. Resolves to how many do not. */
async function remove<DB>(transaction: Transaction<DB>, idle: readonly Found[]): Promise<number> {
  const lasts = idle.map(({ last }) => last)
  // Before anybody can find that a row is gone.
  await sql`
    SELECT setval('tsmicro_outbox_floor', greatest(last_value, (SELECT max(last) FROM unnest(${lasts}::bigint[]) AS last)))
    FROM tsmicro_outbox_floor`.execute(transaction)
  const { numAffectedRows } = await sql`
    DELETE FROM tsmicro_outbox_aggregates WHERE (type, aggregate_id) IN (
      SELECT known.type, known.aggregate_id FROM unnest(
        ${idle.map(({ type }) => type)}::text[], ${idle.map(({ aggregateId }) => aggregateId)}::text[], ${lasts}::bigint[]
      ) AS idle (type, aggregate_id, last)
      JOIN tsmicro_outbox_aggregates AS known ON known.type = idle.type AND known.aggregate_id = idle.aggregate_id AND known.last = idle.last
      FOR UPDATE OF known SKIP LOCKED
    )`.execute(transaction)
  return Number(numAffectedRows)
}
