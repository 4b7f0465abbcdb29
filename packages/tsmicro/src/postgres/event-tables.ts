import { type Kysely, sql } from 'kysely'

/**
 * `position` orders the events of an aggregate as their numbers do, because both are given under the lock of its row in
 * `tsmicro_outbox_aggregates`, which lasts until the transaction ends. `xid` is the transaction that has made the event unsent. Without
 * data = erased.
 */
const OUTBOX = [
  sql`CREATE TABLE IF NOT EXISTS tsmicro_outbox_aggregates (
    type text COLLATE "C", aggregate_id text COLLATE "C", last bigint NOT NULL, first bigint NOT NULL, PRIMARY KEY (type, aggregate_id)
  )`,
  sql`CREATE TABLE IF NOT EXISTS tsmicro_outbox (
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL, subject text NOT NULL, type text COLLATE "C", aggregate_id text COLLATE "C", sequence bigint, first bigint NOT NULL,
    version integer NOT NULL, time text NOT NULL, data text, context text NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(), sent_at timestamptz, stream_sequence bigint,
    PRIMARY KEY (type, aggregate_id, sequence)
  )`,
  sql`CREATE INDEX IF NOT EXISTS tsmicro_outbox_unsent ON tsmicro_outbox (position) WHERE sent_at IS NULL`,
  sql`CREATE INDEX IF NOT EXISTS tsmicro_outbox_unsent_xid ON tsmicro_outbox (xid) WHERE sent_at IS NULL`,
  sql`CREATE INDEX IF NOT EXISTS tsmicro_outbox_sent ON tsmicro_outbox (sent_at) WHERE sent_at IS NOT NULL`,
  sql`CREATE TABLE IF NOT EXISTS tsmicro_outbox_streams (type text COLLATE "C" PRIMARY KEY, created text NOT NULL, last_sequence bigint NOT NULL)`,
]
/**
 * No aggregate whose row was removed has had a higher number. A sequence, as its value is the latest one in every snapshot, also in that of a
 * statement that waits for the removal.
 */
const FLOOR = [sql`CREATE SEQUENCE IF NOT EXISTS tsmicro_outbox_floor MINVALUE 0 START 0`]
const INBOX = [
  sql`CREATE TABLE IF NOT EXISTS tsmicro_inbox (
    consumer text COLLATE "C", type text COLLATE "C", aggregate_id text COLLATE "C", last bigint NOT NULL, PRIMARY KEY (consumer, type, aggregate_id)
  )`,
]
const USED_AT = [sql`ALTER TABLE tsmicro_inbox ADD COLUMN IF NOT EXISTS used_at timestamptz NOT NULL DEFAULT now()`]

export async function createOutboxTables<DB>(db: Kysely<DB>): Promise<void> {
  await createMissing(db, 'tsmicro_outbox', OUTBOX)
  await createMissing(db, 'tsmicro_outbox_floor', FLOOR)
}

export async function createInboxTable<DB>(db: Kysely<DB>): Promise<void> {
  await createMissing(db, 'tsmicro_inbox', INBOX)
  await createMissing(db, 'tsmicro_inbox', USED_AT, 'used_at')
}

/** Several instances may start at the same time. A user who may not create tables needs nothing more once they exist. */
async function createMissing<DB>(
  db: Kysely<DB>,
  table: string,
  statements: typeof OUTBOX,
  column?: string,
): Promise<void> {
  const { rows } = await (column === undefined
    ? sql<{ there: boolean }>`SELECT to_regclass(${table}) IS NOT NULL AS there`
    : sql<{ there: boolean }>`SELECT EXISTS (
        SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(${table}) AND attname = ${column}
      ) AS there`
  ).execute(db)
  if (rows[0]?.there) return
  await db.transaction().execute(async transaction => {
    await sql`SELECT pg_advisory_xact_lock(hashtext(${table}))`.execute(transaction)
    for (const statement of statements) await statement.execute(transaction)
  })
}
