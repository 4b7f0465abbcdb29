import { type Kysely, sql, type Transaction } from 'kysely'
import { AlreadyHandledError, type Attempt, type InboxKey, type InboxStore, USE_RECORDED_MS } from '../stores/index.ts'
import { createInboxTable } from './event-tables.ts'
import { refuse, whenEnded } from './transactions.ts'

/** How many rows one statement deletes. */
const STEP = 5000

/** What is known about an attempt. */
interface State extends Attempt {
  ended: boolean
  /** Whether its record has been begun: then only the end of that transaction decides. */
  begun: boolean
  committed: boolean
  /** It has no number, and the end of its transaction cannot be known. */
  unknown: boolean
  /** Resolves when the transactions that we know of have ended. */
  open: Promise<unknown>
}

export interface PostgresInboxStore extends InboxStore {
  /**
   * Makes a handler's effect and the record of its event one: in the transaction that has the effect. Then the effect happens once, even if
   * the process dies before the event is acknowledged, or another instance gets it too: in that case it rejects, and the transaction has
   * to be rolled back.
   */
  record<DB>(transaction: Transaction<DB>, event: object): Promise<void>
}

/** Progress of consumers in the table `tsmicro_inbox`. */
export function createInboxStore<DB>(db: Kysely<DB>): PostgresInboxStore {
  const attempts = new WeakMap<object, State>()
  return {
    effect: 'postgres',
    prepare: () => createInboxTable(db),
    async read(keys) {
      const { rows } = await sql<{ last: string; unused: boolean | null }>`
        SELECT coalesce(last, 0) AS last, used_at < now() - ${sql.lit(USE_RECORDED_MS)} * interval '1 millisecond' AS unused
        FROM ${listed(keys)} WITH ORDINALITY AS key (consumer, type, aggregate_id, place)
        LEFT JOIN tsmicro_inbox USING (consumer, type, aggregate_id) ORDER BY place`.execute(db)
      const unused = keys.filter((_, index) => rows[index]?.unused)
      // A row that is locked is taking a step.
      if (unused.length > 0)
        await sql`
          UPDATE tsmicro_inbox SET used_at = now() WHERE (consumer, type, aggregate_id) IN (
            SELECT consumer, type, aggregate_id FROM ${listed(unused)} AS key (consumer, type, aggregate_id)
            JOIN tsmicro_inbox AS row USING (consumer, type, aggregate_id) FOR UPDATE OF row SKIP LOCKED
          )`.execute(db)
      return rows.map(({ last }) => Number(last))
    },
    advance: attempt => step(db, attempt),
    begin(event, attempt) {
      attempts.set(event, {
        ...attempt,
        ended: false,
        begun: false,
        committed: false,
        unknown: false,
        open: Promise.resolve(),
      })
    },
    async record(transaction, event) {
      const state = attempts.get(event)
      if (!state) throw new TypeError('this is not the event that the handler was called with: pass that on')
      if (!transaction.isTransaction) throw new TypeError('an event is recorded in the transaction that has its effect')
      if (state.ended) refuse(transaction, new AlreadyHandledError(state))
      state.begun = true
      const ended = Promise.withResolvers<void>()
      const known = whenEnded(transaction, committed => {
        state.committed ||= committed
        ended.resolve()
      })
      if (known) state.open = Promise.all([state.open, ended.promise])
      else state.unknown ||= state.from === state.to
      if (!(await step(transaction, state)) || state.ended) refuse(transaction, new AlreadyHandledError(state))
    },
    async end(event, succeeded) {
      const state = attempts.get(event)
      if (!state) return false
      state.ended = true
      if (!state.begun) return false
      await state.open
      if (state.committed || (state.unknown && succeeded)) return true
      return state.from < state.to && (await settled(db, state)) >= state.to
    },
    async forget({ consumer, type }, unusedSince) {
      for (let from = ''; ; ) {
        const { rows } = await sql<{ end: string; count: string }>`
          WITH page AS MATERIALIZED (
            SELECT ctid AS place, aggregate_id, used_at FROM tsmicro_inbox
            WHERE consumer = ${consumer} AND type = ${type} AND aggregate_id > ${from} ORDER BY aggregate_id LIMIT ${sql.lit(STEP)}
          ), unused AS (
            SELECT ctid AS place FROM tsmicro_inbox
            WHERE ctid = ANY(ARRAY(SELECT place FROM page WHERE used_at < ${unusedSince})) AND used_at < ${unusedSince}
            FOR UPDATE SKIP LOCKED
          ), forgotten AS (
            DELETE FROM tsmicro_inbox WHERE ctid = ANY(ARRAY(SELECT place FROM unused))
          )
          SELECT max(aggregate_id) AS end, count(*) AS count FROM page`.execute(db)
        const [{ end, count } = { end: '', count: '0' }] = rows
        if (Number(count) < STEP) return
        from = end
      }
    },
    async reset(consumer) {
      const some = sql`
        DELETE FROM tsmicro_inbox WHERE (consumer, type, aggregate_id) IN (
          SELECT consumer, type, aggregate_id FROM tsmicro_inbox WHERE consumer = ${consumer} LIMIT ${sql.lit(STEP)}
        )`
      while ((await some.execute(db)).numAffectedRows === BigInt(STEP));
    },
  }
}

/** Keys as rows. */
const listed = (keys: readonly InboxKey[]) => sql`
  unnest(${keys.map(({ consumer }) => consumer)}::text[], ${keys.map(({ type }) => type)}::text[],
    ${keys.map(({ aggregateId }) => aggregateId)}::text[])`

/** A transaction that is taking the same step is waited for; then this one changes nothing. */
async function step<DB>(db: Kysely<DB>, { consumer, type, aggregateId, from, to }: Attempt): Promise<boolean> {
  if (from >= to) return from === to
  const { numAffectedRows } =
    from === 0
      ? await sql`
          INSERT INTO tsmicro_inbox AS known (consumer, type, aggregate_id, last) VALUES (${consumer}, ${type}, ${aggregateId}, ${to})
          ON CONFLICT (consumer, type, aggregate_id) DO UPDATE SET last = excluded.last, used_at = now() WHERE known.last = 0`.execute(
          db,
        )
      : await sql`
          UPDATE tsmicro_inbox SET last = ${to}, used_at = now()
          WHERE consumer = ${consumer} AND type = ${type} AND aggregate_id = ${aggregateId} AND last = ${from}`.execute(
          db,
        )
  return numAffectedRows === 1n
}

/** The number once no transaction is changing it: for one that was begun past us, or whose COMMIT was not answered. */
async function settled<DB>(db: Kysely<DB>, { consumer, type, aggregateId }: InboxKey): Promise<number> {
  const { rows } = await sql<{ last: string }>`
    INSERT INTO tsmicro_inbox AS known (consumer, type, aggregate_id, last) VALUES (${consumer}, ${type}, ${aggregateId}, 0)
    ON CONFLICT (consumer, type, aggregate_id) DO UPDATE SET last = known.last RETURNING last`.execute(db)
  return Number(rows[0]?.last)
}
