import { sql, type Transaction } from 'kysely'
import type { NumberedEvent, OutboxStore } from '../stores/index.ts'

/** How many events are read at a time, and how many bytes of their data; one event may be larger. */
const MOST_EVENTS = 500
const MOST_BYTES = 4 * 1024 * 1024
/** How long the server waits for a relay that has read events: a frozen process must not keep the others from sending. */
const IDLE_MS = 7000
/** How many rows one statement changes. */
const STEP = 5000

/** Of this table alone: several schemas of a database may have one each. Ends with the transaction, so it works behind poolers. */
const TURN = sql`hashtextextended('tsmicro.outbox', 'tsmicro_outbox'::regclass::oid::bigint)`

type Send = Parameters<OutboxStore<unknown>['relay']>[0]

/**
 * Resolves to false if another relay has its turn. The planner has no statistics of a table that has just grown: it would read all of it,
 * and sort it, for each part.
 */
export async function takeTurn<DB>(transaction: Transaction<DB>): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`
    SELECT pg_try_advisory_xact_lock(${TURN}) AS mine,
      set_config('idle_in_transaction_session_timeout', ${String(IDLE_MS)}, true),
      set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`.execute(transaction)
  return rows[0]?.mine === true
}

/** Keeps relays from sending until the transaction has ended. */
export async function waitForTurn<DB>(transaction: Transaction<DB>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${TURN})`.execute(transaction)
}

/** How long a turn lasts for certain: the server counts from its answer, so later than from the question. */
class Hold {
  #endsAt = 0

  async by<T>(statement: Promise<T>, began = performance.now()): Promise<T> {
    const result = await statement
    this.#endsAt = began + IDLE_MS
    return result
  }

  readonly lasts = () => performance.now() < this.#endsAt
}

interface Row extends NumberedEvent {
  /** Where it is in the table: without the turn, nobody changes a row that is unsent. */
  readonly ctid: string
  readonly position: number
}

/**
 * Which transactions a statement has not seen. Of all unsent events, only those of these transactions can be new to whoever has sent what it
 * has seen. The others need not be read: for as long as any transaction of the database is open, the index keeps entries of sent ones.
 */
export interface Snapshot {
  /** All from here on. */
  readonly xmax: string
  /** Those that were under way. */
  readonly xip: readonly string[]
}

interface Turn {
  readonly sent: number
  /** Undefined if something is left. */
  readonly sentAt: Snapshot | undefined
}

interface Page {
  readonly events: readonly Row[]
  readonly seenAt: Snapshot
}

interface Limits {
  readonly since: Snapshot | undefined
  readonly limit: number
  /** Whether the turn goes on when nothing is left. */
  readonly more: (() => Promise<boolean>) | undefined
}

/** Sends what is unsent, or new since a snapshot. While events are on their way, those before them are marked and the next ones read. */
export async function sendAll<DB>(
  transaction: Transaction<DB>,
  send: Send,
  { since, limit, more }: Limits,
): Promise<Turn> {
  let [read, sent, from] = [0, 0, since]
  const hold = new Hold()
  /** Those with an event that was not accepted: none of them is read again, as the limit is for all. */
  let stuck: readonly Row[] = []
  let before: readonly [readonly Row[], readonly (number | undefined)[]] = [[], []]
  const next = async (sending: readonly Row[]): Promise<Page> => {
    // By position, so all that is visible: an event must not pass one of its aggregate that became visible since the last page.
    const { events, seenAt } = await hold.by(readUnsent(transaction, from, { sending, stuck }))
    // Sorting the rest again for each page would take long.
    if (events.length === MOST_EVENTS) from = undefined
    const page = { events: events.slice(0, limit - read), seenAt }
    read += page.events.length
    return page
  }
  const mark = async () => {
    const [events, numbers] = before
    sent += await hold.by(markSent(transaction, events, numbers))
    const known = new Set(stuck.map(aggregateOf))
    for (const [index, event] of events.entries()) {
      if (numbers[index] !== undefined || known.has(aggregateOf(event))) continue
      known.add(aggregateOf(event))
      stuck = [...stuck, event]
    }
    before = [[], []]
  }
  for (let page = await next([]); ; ) {
    const { events, seenAt } = page
    if (events.length === 0) {
      await mark()
      if (stuck.length > 0) return { sent, sentAt: undefined }
      if (read >= limit || !(await more?.())) return { sent, sentAt: seenAt }
      from = seenAt
      page = await next([])
      continue
    }
    const prepareNext = async () => {
      await mark()
      return read < limit ? next(events) : undefined
    }
    // Acknowledgements may have taken long.
    if (!hold.lasts()) await hold.by(sql`SELECT 1`.execute(transaction))
    const [numbers, following] = await Promise.all([send(events, hold.lasts), prepareNext()])
    before = [events, numbers]
    if (!following) break
    page = following
  }
  await mark()
  return { sent, sentAt: undefined }
}

async function readUnsent<DB>(
  transaction: Transaction<DB>,
  since: Snapshot | undefined,
  { sending, stuck }: { readonly sending: readonly Row[]; readonly stuck: readonly Row[] },
): Promise<Page> {
  const unsent = since
    ? sql`(
        SELECT ctid AS place, * FROM tsmicro_outbox WHERE sent_at IS NULL AND xid >= ${since.xmax}::xid8
        UNION ALL SELECT ctid AS place, * FROM tsmicro_outbox WHERE sent_at IS NULL AND xid = ANY(${since.xip}::xid8[]) OFFSET 0
      )`
    : sql`(SELECT ctid AS place, * FROM tsmicro_outbox)`
  const { rows } = await sql<{ snapshot: string } & Record<keyof Row, string | null>>`
    SELECT snapshot, place AS ctid, position, id, subject, type, aggregate_id AS "aggregateId", sequence, first, version, time, data, context
    FROM (SELECT pg_current_snapshot()::text AS snapshot) AS seen LEFT JOIN (
      SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS bytes FROM (
        SELECT * FROM ${unsent} AS event WHERE sent_at IS NULL AND position NOT IN (SELECT unnest(${sending.map(({ position }) => position)}::bigint[]))
          AND (type, aggregate_id) NOT IN (
            SELECT * FROM unnest(${stuck.map(({ type }) => type)}::text[], ${stuck.map(({ aggregateId }) => aggregateId)}::text[])
          )
        ORDER BY position LIMIT ${sql.lit(MOST_EVENTS)}
      ) AS next
    ) AS page ON bytes < ${sql.lit(MOST_BYTES)} ORDER BY position`.execute(transaction)
  const [, xmax = '0', xip = ''] = rows[0]?.snapshot.split(':') ?? []
  const events = rows.flatMap(({ snapshot: _, ...row }) => (row.position === null ? [] : [eventOf(row as Texts)]))
  return { events, seenAt: { xmax, xip: xip === '' ? [] : xip.split(',') } }
}

const aggregateOf = ({ type, aggregateId }: Row) => `${type} ${aggregateId}`

/** As the driver reads a row: no number that may be too large for JavaScript is one. */
type Texts = Readonly<Record<keyof Row, string>>

function eventOf({ position, sequence, first, version, context, ...texts }: Texts): Row {
  const numbers = {
    position: Number(position),
    sequence: Number(sequence),
    first: Number(first),
    version: Number(version),
  }
  return { ...texts, ...numbers, context: JSON.parse(context) }
}

/** Also records the highest number that the stream is known to have given. Resolves to how many of them were accepted. */
async function markSent<DB>(
  transaction: Transaction<DB>,
  rows: readonly Row[],
  numbers: readonly (number | undefined)[],
): Promise<number> {
  const accepted = rows.flatMap(({ ctid }, index) => {
    const number = numbers[index]
    return number === undefined ? [] : [{ ctid, number }]
  })
  if (accepted.length === 0) return 0
  await sql`
    WITH sent AS (
      UPDATE tsmicro_outbox AS event SET sent_at = now(), stream_sequence = accepted.number
      FROM unnest(${accepted.map(({ ctid }) => ctid)}::tid[], ${accepted.map(({ number }) => number)}::bigint[])
        AS accepted (ctid, number)
      WHERE event.ctid = accepted.ctid RETURNING event.type, event.stream_sequence
    )
    UPDATE tsmicro_outbox_streams AS stream SET last_sequence = greatest(stream.last_sequence, sent.last)
    FROM (SELECT type, max(stream_sequence) AS last FROM sent GROUP BY type) AS sent WHERE stream.type = sent.type`.execute(
    transaction,
  )
  return accepted.length
}

/** Makes kept events unsent again that had a higher number in their stream. Resolves to how many. */
export async function resend<DB>(transaction: Transaction<DB>, type: string, after: number): Promise<number> {
  await waitForTurn(transaction)
  let total = 0
  for (let from = { aggregateId: '', sequence: '0' }; ; ) {
    const { rows } = await sql<{ again: string; aggregateId: string; sequence: string }>`
      WITH page AS (
        SELECT type, aggregate_id, sequence FROM tsmicro_outbox
        WHERE type = ${type} AND (aggregate_id, sequence) > (${from.aggregateId}, ${from.sequence}::bigint)
        ORDER BY aggregate_id, sequence LIMIT ${sql.lit(STEP)}
      ), again AS (
        UPDATE tsmicro_outbox AS event SET sent_at = NULL, stream_sequence = NULL, xid = DEFAULT FROM page
        WHERE (event.type, event.aggregate_id, event.sequence) = (page.type, page.aggregate_id, page.sequence)
          AND event.stream_sequence > ${after} AND event.data IS NOT NULL
        RETURNING 1
      )
      SELECT (SELECT count(*) FROM again) AS again, aggregate_id AS "aggregateId", sequence
      FROM page ORDER BY aggregate_id DESC, sequence DESC LIMIT 1`.execute(transaction)
    const [last] = rows
    if (!last) return total
    total += Number(last.again)
    from = last
  }
}
