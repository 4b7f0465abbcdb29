import type { AppliedMigration } from './plan.ts'
import type { Query } from './query.ts'

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
