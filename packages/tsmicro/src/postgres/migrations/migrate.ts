import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Pool, PoolClient } from 'pg'
import { translate, translateConnect } from '../errors.ts'
import { runAlone } from './alone.ts'
import { type MigrationFile, readMigrations } from './files.ts'
import { nextMigration } from './plan.ts'
import { limitsOff, type Query, queryOf } from './history.ts'
import { ensureTable, type History, readHistory } from './history.ts'
import { explainUnfinished } from './history.ts'
import { runWithin } from './within.ts'

export interface MigrateOptions {
  /** Whose tables these are: written beside each migration, and told when it meets another's. Default: the application's name. */
  readonly service?: string | undefined
}

/** What a migration is run with. */
export interface Migrator {
  readonly pool: Pool
  /** A connection outside of the pool, for what cannot run in the transaction that holds the lock. */
  readonly open: () => Client
  /** Written beside each migration, and compared when they do not fit. */
  readonly service: string | undefined
  /** False behind a pooler: then nothing may be set for longer than a transaction. */
  readonly ownSession: boolean
}

/** One number for all users of this code in a database: the bytes of "tsmicro", as an advisory lock is a bigint. */
const LOCK = 0x74_73_6d_69_63_72_6fn.toString()
const PAUSE_MS = 100

/** Applies what is missing, one by one, until nothing is missing. */
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
    // An open transaction goes with its connection, and so does what a migration has set in its session.
    client.release(true)
  }
  return { applied }
}

/**
 * One turn under the lock, which a transaction holds and not the session: it ends with it whatever happens, and works behind a
 * pooler. Whoever gets it next looks again at what has been applied in the meantime. False when nothing is left.
 */
async function applyNext(
  migrator: Migrator,
  client: PoolClient,
  files: readonly MigrationFile[],
  tell: (name: string) => void,
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
    tell(file.name)
    return true
  }
  // Again from the start: what has been read leaves locks behind, and statements like CREATE INDEX CONCURRENTLY wait for such.
  await query('commit')
  await lock(query)
  const done = await runAlone(migrator, query, history, async own =>
    (await plan(migrator, own, history, files)) === file ? file : undefined,
  )
  if (done) tell(file.name)
  return true
}

async function plan({ service }: Migrator, query: Query, history: History, files: readonly MigrationFile[]) {
  const rows = await readHistory(query, history)
  const unfinished = rows.find(({ state }) => state !== 'applied')
  if (unfinished) throw await explainUnfinished(query, history, unfinished)
  return nextMigration(files, rows, service)
}

/**
 * Asks again and again instead of waiting in the server: a statement that waits has a snapshot, and what builds an index
 * concurrently waits for all older ones. The two would wait for each other. For the same reason the last question here has no
 * parameters: with them it would be a portal, which keeps its snapshot until the next statement.
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
