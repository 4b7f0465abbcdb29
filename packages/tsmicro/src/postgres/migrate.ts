import type { Pool, PoolClient } from 'pg'
import { translate } from './errors.ts'
import { MigrationError } from './migration-error.ts'
import { type MigrationFile, readMigrations } from './migration-files.ts'
import { type AppliedMigration, nextMigration } from './migration-plan.ts'

export interface MigrationReport {
  /** Names of the files that this call applied, in order. */
  readonly applied: readonly string[]
}

/** One number for all users of this code in a database: the bytes of "tsmicro", as an advisory lock is a bigint. */
const lockKey = 0x74_73_6d_69_63_72_6fn.toString()

/** Applies what is missing, one transaction each, until nothing is missing. */
export async function migrate(pool: Pool, directory: URL): Promise<MigrationReport> {
  const files = await readMigrations(directory)
  const applied: string[] = []
  const client = await pool.connect().catch(error => {
    throw translate(error)
  })
  try {
    for (;;) {
      const name = await applyNext(client, files)
      if (name === undefined) break
      applied.push(name)
    }
    client.release()
  } catch (error) {
    // the transaction goes with its connection
    client.release(true)
    throw translate(error)
  }
  return { applied }
}

/**
 * The lock is held for one transaction, not for the session: it ends with the transaction whatever happens, and works
 * behind a connection pooler. Whoever gets it next looks again at what has been applied in the meantime.
 */
async function applyNext(client: PoolClient, files: readonly MigrationFile[]): Promise<string | undefined> {
  await client.query('begin')
  // neither the wait for another instance's migration nor a migration itself has to be quick
  await client.query('set local statement_timeout = 0')
  await query(client, 'select pg_advisory_xact_lock($1)', [lockKey])
  await query(
    client,
    `create table if not exists schema_migrations (
       number integer primary key,
       name text not null,
       checksum text not null,
       applied_at timestamptz not null default now()
     )`,
  )
  const { rows } = await query<AppliedMigration>(
    client,
    'select number, name, checksum from schema_migrations order by 1',
  )
  const file = nextMigration(files, rows)
  if (file !== undefined) {
    await execute(client, file)
    const record = 'insert into schema_migrations (number, name, checksum) values ($1, $2, $3)'
    await query(client, record, [file.number, file.name, file.checksum])
  }
  await query(client, 'commit')
  return file?.name
}

async function execute(client: PoolClient, { name, sql }: MigrationFile): Promise<void> {
  try {
    await query(client, sql)
  } catch (error) {
    if (translate(error) !== error) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new MigrationError('failed', name, `failed${place(error, sql)}: ${why}`, { cause: error })
  }
}

/** Without the pool's limit on the client's side; PostgreSQL's own is off within the transaction. */
function query<Row extends object>(client: PoolClient, text: string, values?: unknown[]) {
  return client.query<Row>({ text, query_timeout: 2 ** 31 - 1, ...(values && { values }) } as { text: string })
}

function place(error: unknown, sql: string): string {
  const position = error instanceof Error && 'position' in error ? Number(error.position) : Number.NaN
  return Number.isInteger(position) ? ` in line ${sql.slice(0, position - 1).split('\n').length}` : ''
}
