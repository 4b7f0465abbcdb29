import type { ClientBase, QueryResult } from 'pg'
import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'

/** What was applied in a schema: the table `schema_migrations` in the first schema of the search path. */
export interface History {
  /** The table's name with its schema, as SQL: a migration may change the search path. */
  readonly table: string
  /** False if the table was only made or changed by this transaction, so that nobody else sees it yet. */
  readonly complete: boolean
}

/** A row of the table `schema_migrations`. */
export interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly checksum: string
  /** The service that applied it; null if an earlier version did not record it. */
  readonly service: string | null
  /** `begun` and `failed`: a migration without a transaction that did not finish. */
  readonly state: string
  readonly error: string | null
  readonly applied_at: Date
}

/** A migration that is to be run and recorded. */
export interface Task {
  readonly file: MigrationFile
  readonly history: History
  readonly service: string | undefined
}

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<QueryResult<Row>>

const NO_LIMIT_MS = 2 ** 31 - 1

const COLUMNS = {
  number: 'integer primary key',
  name: 'text not null',
  checksum: 'text not null',
  applied_at: 'timestamptz not null default now()',
  service: 'text',
  state: "text not null default 'applied'",
  error: 'text',
}

/**
 * Queries without the pool's client-side limit: waiting for another instance's migration may take long, and so may a migration.
 */
export function queryOf(client: ClientBase): Query {
  return <Row extends object>(text: string, values?: unknown[]) =>
    client.query<Row>({ text, query_timeout: NO_LIMIT_MS, ...(values && { values }) } as { text: string })
}

/** Switches the server's limits off until the end of the transaction or session. Not every version has all of them. */
export function limitsOff(query: Query, until: 'transaction' | 'session'): Promise<unknown> {
  return query(
    `select set_config(name, '0', $1) from pg_catalog.pg_settings
     where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')`,
    [until === 'transaction'],
  )
}

/**
 * Makes the table, or adds columns that an earlier version did not have. Looks first, as that needs no right to create tables.
 */
export async function ensureTable(query: Query): Promise<History> {
  const { rows } = await query<{ table: string | null; columns: string[] | null }>(
    `select quote_ident(current_schema()) || '.schema_migrations' as table,
       (select array_agg(attname::text) from pg_catalog.pg_attribute
        where attrelid = to_regclass(quote_ident(current_schema()) || '.schema_migrations')
          and attnum > 0 and not attisdropped) as columns`,
  )
  const table = rows[0]?.table ?? 'schema_migrations'
  const known = rows[0]?.columns ?? []
  const missing = Object.entries(COLUMNS).filter(([name]) => !known.includes(name))
  const list = missing.map(([name, type]) => `${known.length > 0 ? 'add column ' : ''}${name} ${type}`).join(', ')
  if (missing.length > 0)
    await query(known.length > 0 ? `alter table ${table} ${list}` : `create table ${table} (${list})`)
  return { table, complete: missing.length === 0 }
}

export async function readHistory(query: Query, { table }: History): Promise<AppliedMigration[]> {
  const columns = 'number, name, checksum, service, state, error, applied_at'
  return (await query<AppliedMigration>(`select ${columns} from ${table} order by number`)).rows
}

/**
 * @param state `begun` before the first statement of a migration without a transaction: whatever happens then, the start is
 * known
 */
export async function record(query: Query, task: Task, state: 'applied' | 'begun'): Promise<void> {
  const { file, history, service } = task
  const sql = `insert into ${history.table} (number, name, checksum, service, state) values ($1, $2, $3, $4, $5)`
  await query(sql, [file.number, file.name, file.checksum, service, state])
}

export async function recordEnd(query: Query, { file, history }: Task): Promise<void> {
  await query(`update ${history.table} set state = 'applied', applied_at = now() where number = $1`, [file.number])
}

export async function recordFailed(query: Query, { file, history, service }: Task, error: string): Promise<void> {
  const sql = `insert into ${history.table} (number, name, checksum, service, state, error) values ($1, $2, $3, $4, 'failed', $5)
    on conflict (number) do update set state = 'failed', error = excluded.error`
  await query(sql, [file.number, file.name, file.checksum, service, error])
}

export async function forget(query: Query, { file, history }: Task): Promise<void> {
  await query(`delete from ${history.table} where number = $1`, [file.number])
}

/** The error for a migration without a transaction that did not finish: only a person can find out what is left of it. */
export async function unfinished(
  query: Query,
  { table }: History,
  { number, name, error, applied_at: begun }: AppliedMigration,
): Promise<MigrationError> {
  const { rows } = await query<{ name: string }>(
    'select indexrelid::regclass::text as name from pg_catalog.pg_index where not indisvalid order by 1',
  )
  const invalid = rows.map(row => row.name)
  const why = error ?? 'the reason is unknown'
  const indexes =
    invalid.length === 0 ? '' : ` It left invalid indexes, which should be dropped: ${invalid.join(', ')}.`
  return new MigrationError(
    'unfinished',
    name,
    `was begun ${begun.toISOString()} and did not finish: ${why}.${indexes} ` +
      `Check how much of it was done. To run it again from the start: delete from ${table} where number = ${number}; ` +
      `if all of it was done: update ${table} set state = 'applied' where number = ${number}`,
  )
}
