import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Pool, PoolClient } from 'pg'
import { translate, translateConnect } from '../errors.ts'
import { type MigrationFile, readMigrations } from './files.ts'
import { ensureTable, type History, limitsOff, type Query, queryOf, readHistory, unfinished } from './history.ts'
import { nextMigration } from './plan.ts'
import { runAlone, runWithin } from './run.ts'

export interface MigrateOptions {
  /**
   * The owner of the tables, recorded with each migration and compared with the owner of those applied. Default: the
   * application's name.
   */
  readonly service?: string | undefined
}

/** How migrations are run. */
interface Migrator {
  readonly pool: Pool
  /** Makes a connection outside the pool, for statements that cannot run in the transaction that holds the lock. */
  readonly open: () => Client
  readonly service: string | undefined
  /** False behind a pooler: then no setting may outlive a transaction. */
  readonly ownSession: boolean
}

/**
 * The same number for all users of this code in a database: an advisory lock is a bigint, and these are the bytes of "tsmicro".
 */
const LOCK = 0x74_73_6d_69_63_72_6fn.toString()
const PAUSE_MS = 100

/** Applies the missing migrations one by one. */
export async function migrate(migrator: Migrator, directory: URL): Promise<{ readonly applied: readonly string[] }> {
  const files = await readMigrations(directory)
  const applied: string[] = []
  const client = await migrator.pool.connect().catch(error => {
    throw translateConnect(error)
  })
  try {
    while (await applyNext(migrator, client, files, name => applied.push(name))) {}
  } catch (error) {
    throw translate(error)
  } finally {
    // Ends an open transaction, and drops the settings that a migration has made in its session.
    client.release(true)
  }
  return { applied }
}

/**
 * Applies one migration under the lock. A transaction holds the lock, not the session, so that it ends whatever happens, and
 * works behind a pooler. Whoever gets the lock next looks again at what has been applied. Returns false if nothing is left to
 * do.
 */
async function applyNext(
  migrator: Migrator,
  client: PoolClient,
  files: readonly MigrationFile[],
  onApplied: (name: string) => void,
): Promise<boolean> {
  const query = queryOf(client)
  await lock(query)
  const history = await ensureTable(query)
  const file = await plan(migrator, query, history, files)
  if (file === undefined || (!file.transaction && !history.complete)) {
    await query('commit')
    return file !== undefined
  }
  if (file.transaction) {
    await runWithin(client, query, { file, history, service: migrator.service })
    onApplied(file.name)
    return true
  }
  // In a new transaction: reading has left locks behind, and statements like CREATE INDEX CONCURRENTLY wait for them.
  await query('commit')
  await lock(query)
  const task = { file, history, service: migrator.service }
  const done = await runAlone(migrator, query, async own =>
    (await plan(migrator, own, history, files)) === file ? task : undefined,
  )
  if (done) onApplied(file.name)
  return true
}

async function plan({ service }: Migrator, query: Query, history: History, files: readonly MigrationFile[]) {
  const rows = await readHistory(query, history)
  const stopped = rows.find(({ state }) => state !== 'applied')
  if (stopped) throw await unfinished(query, history, stopped)
  return nextMigration(files, rows, service)
}

/**
 * Polls instead of waiting in the server: a waiting statement has a snapshot, and building an index concurrently waits for all
 * older snapshots, so the two would wait for each other. For the same reason the last query has no parameters: with parameters
 * it would be a portal, which keeps its snapshot until the next statement.
 */
async function lock(query: Query): Promise<void> {
  for (;;) {
    await query('begin')
    await limitsOff(query, 'transaction')
    const { rows } = await query<{ mine: boolean }>(`select pg_try_advisory_xact_lock(${LOCK}) as mine`)
    if (rows[0]?.mine) return
    await query('rollback')
    await sleep(PAUSE_MS * (0.5 + Math.random()))
  }
}
