import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { rootMessage } from '../errors/index.ts'
import { checkPool } from './check.ts'
import { endPool } from './end.ts'
import { type MigrationReport, migrate } from './migrate.ts'
import { rethrow, sessionPool } from './pool.ts'
import { runTransaction, type TransactionOptions } from './transaction.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`; parameters like `sslmode` as in libpq. */
  readonly url: string
  /** Connections at most. Default 10. */
  readonly poolSize?: number
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string
  /** Longest wait for a connection, new or from the pool, in milliseconds. Default 5000. */
  readonly connectTimeoutMs?: number
  /** Longest run of a statement, in milliseconds. Default 30000. */
  readonly statementTimeoutMs?: number
  /**
   * What ends the reads of whoever asks now: a `select` outside of transactions is cancelled on the server when the signal
   * aborts, and rejects with its reason. Changes are not: see `TransactionOptions.signal`. In a service:
   * `() => currentContext()?.deadline.signal`. Costs about 3 µs a read, most of it the AbortController.
   */
  readonly currentSignal?: () => AbortSignal | undefined
  /** Told about connections that died while idle: nobody else would hear of it. */
  readonly log?: { warn(fields: object, message: string): void }
}

/**
 * A PostgreSQL database. Failures to reach it are `SERVICE_UNAVAILABLE`, statements that ran too long are
 * `DEADLINE_EXCEEDED`, both with the driver's error as cause; violated constraints are recognised by `isUniqueViolation`
 * and its likes. When the server is back, so is this: connections are made anew as they are needed.
 */
export interface Postgres<DB> {
  readonly name: 'postgres'
  /** Typed queries. */
  readonly db: Kysely<DB>
  /** Runs a function in a transaction: committed when it returns, rolled back when it throws. */
  transaction<T>(run: (transaction: Transaction<DB>) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Applies the migrations `NNNN_name.sql` of a directory that were not applied yet, in order, each in a transaction of its
   * own. Safe when several instances start at once.
   * @throws {MigrationError} when what was applied was changed or is missing, or a migration fails
   */
  migrate(directory: URL): Promise<MigrationReport>
  /** Tries once whether the server can be used. */
  connect(): Promise<void>
  /** @throws {SERVICE_UNAVAILABLE} when no query is answered within 1.5 seconds */
  check(): Promise<void>
  /** Waits for running queries, three seconds at most, then closes all connections. Harmless when repeated. */
  close(): Promise<void>
}

/**
 * @example
 * const postgres = createPostgres<Tables>({ url: config.DATABASE_URL, applicationName: 'auth' })
 * await postgres.connect()
 * await postgres.migrate(new URL('../migrations/', import.meta.url))
 * const user = await postgres.db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
 */
export function createPostgres<DB>(options: PostgresOptions): Postgres<DB> {
  const { url, poolSize = 10, applicationName, connectTimeoutMs = 5000, statementTimeoutMs = 30_000, log } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // the server enforces the limit above; this one is for a server that can't be heard any more
    query_timeout: statementTimeoutMs + 5000,
    keepAlive: true,
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
  })
  const lost = (error: Error) => log?.warn({}, `lost a connection to PostgreSQL: ${rootMessage(error)}`)
  // an 'error' event without a listener ends the process: the pool has one for idle clients only, so each client gets one
  pool.on('error', lost)
  const open = new Set<pg.PoolClient>()
  pool.on('connect', client => {
    open.add(client)
    client.on('error', () => undefined)
  })
  pool.on('remove', client => open.delete(client))
  const db = new Kysely<DB>({
    dialect: new PostgresDialect({ pool: sessionPool(pool, options.currentSignal), controlClient: pg.Client as never }),
  })
  let closing: Promise<void> | undefined
  return {
    name: 'postgres',
    db,
    transaction: (run, transactionOptions) => runTransaction(db, run, transactionOptions),
    migrate: directory => migrate(pool, directory),
    connect: () => checkPool(pool, connectTimeoutMs),
    check: () => checkPool(pool),
    close: () => {
      closing ??= endPool(pool, open).catch(rethrow)
      return closing
    },
  }
}
