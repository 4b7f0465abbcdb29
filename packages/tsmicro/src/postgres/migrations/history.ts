import type { ClientBase, QueryResult } from 'pg'
import type { AppliedMigration } from './plan.ts'
import type { Task } from './within.ts'
import { MigrationError } from './error.ts'

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<QueryResult<Row>>

const NO_LIMIT_MS = 2 ** 31 - 1

/** Without the pool's limit on the client's side: neither waiting for another instance's migration nor a migration itself has to be quick. */
export function queryOf(client: ClientBase): Query {
  return <Row extends object>(text: string, values?: unknown[]) =>
    client.query<Row>({ text, query_timeout: NO_LIMIT_MS, ...(values && { values }) } as { text: string })
}

/** Switches the server's limits off, until the end of the transaction or of the session; not all versions know all of them. */
export function limitsOff(query: Query, until: 'transaction' | 'session'): Promise<unknown> {
  return query(
    `select set_config(name, '0', $1) from pg_catalog.pg_settings
     where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')`,
    [until === 'transaction'],
  )
}

/** What was applied in a schema: `schema_migrations` in the first one of the search path. */
export interface History {
  /** The table's name with its schema, as SQL: a migration may change the search path. */
  readonly table: string
  /** Whether the table was as it should be: otherwise it has just been made so, for whoever sees this transaction. */
  readonly complete: boolean
}

const COLUMNS = {
  number: 'integer primary key',
  name: 'text not null',
  checksum: 'text not null',
  applied_at: 'timestamptz not null default now()',
  service: 'text',
  state: "text not null default 'applied'",
  error: 'text',
}

/** Makes the table, or the columns that an earlier version did not have. Looks first: that needs no right to make tables. */
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

export async function recordDone(query: Query, { file, history, service }: Task): Promise<void> {
  const sql = `insert into ${history.table} (number, name, checksum, service) values ($1, $2, $3, $4)`
  await query(sql, [file.number, file.name, file.checksum, service])
}

/** Before the first statement of a migration without a transaction: whatever happens now, it is known that it began. */
export async function recordBegun(query: Query, { file, history, service }: Task): Promise<void> {
  const sql = `insert into ${history.table} (number, name, checksum, service, state) values ($1, $2, $3, $4, 'begun')`
  await query(sql, [file.number, file.name, file.checksum, service])
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

/** A migration without a transaction that did not come to its end: only somebody who looks can tell what there is of it. */
export async function explainUnfinished(
  query: Query,
  { table }: History,
  { number, name, error, applied_at: begun }: AppliedMigration,
): Promise<MigrationError> {
  const { rows } = await query<{ name: string }>(
    'select indexrelid::regclass::text as name from pg_catalog.pg_index where not indisvalid order by 1',
  )
  const invalid = rows.map(row => row.name)
  const what = error ?? 'nobody knows what stopped it'
  const indexes = invalid.length === 0 ? '' : ` Invalid indexes are left, to be dropped: ${invalid.join(', ')}.`
  return new MigrationError(
    'unfinished',
    name,
    `was begun ${begun.toISOString()} and did not run to its end: ${what}.${indexes} ` +
      `See what there is of it. To run it again from its start: delete from ${table} where number = ${number}; ` +
      `when all of it is there: update ${table} set state = 'applied' where number = ${number}`,
  )
}
