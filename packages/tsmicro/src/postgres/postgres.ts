import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { rootMessage } from '../errors/index.ts'
import { checkPool } from './check.ts'
import { clientClass } from './client.ts'
import { endPool } from './end.ts'
import { type MigrateOptions, migrate } from './migrations/migrate.ts'
import { rethrow, sessionPool } from './pool.ts'
import { PreparedStatements } from './prepared.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IsolationLevel, Kysely, Transaction } from 'kysely'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { isSerializationFailure } from './errors.ts'
import { isStalePlan } from './prepared.ts'
import { transactionSignal } from './session.ts'

export interface PostgresOptions {
  /**
   * `postgres://user:password@host:5432/database`. `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `sslcrl` and `sslpassword` mean
   * what they mean to libpq: without them `prefer`, TLS where the server has it, and nobody's certificate is checked. Two
   * differences: `verify-full` without `sslrootcert` goes by the authorities that Node knows, and `allow` is refused.
   */
  readonly url: string
  /**
   * What stands between here and the server: `transaction` for a pooler that may give each transaction another session, such as
   * PgBouncer 1.18 or newer, whatever its `pool_mode` is but `statement`. Then nothing is expected of a session: the limit of
   * statements is set within each transaction, and outside of them the client has the server end what takes too long. Default:
   * nothing, or a pooler that keeps a session for a connection and passes `statement_timeout` on, which PgBouncer refuses.
   */
  readonly pooler?: 'transaction' | undefined
  /** Connections at most. Default 10. */
  readonly poolSize?: number
  /**
   * Whether statements with parameters that come again and again are prepared, 200 a connection at most. Default true, and false
   * behind a `pooler`. When a prepared statement's columns have changed meanwhile, it is sent again; in a transaction that is
   * `SERVICE_UNAVAILABLE`, unless it has `retries`.
   */
  readonly preparedStatements?: boolean | undefined
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
  /** Told about connections that died while idle, and of limits that a pooler keeps from the server: nobody else would hear of it. */
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
   * own, which it must not end (`COMMIT` and its likes are refused before anything runs, and so is what only psql understands).
   * Safe when several instances start at once. What PostgreSQL does not do in a transaction, like `CREATE INDEX CONCURRENTLY`, goes
   * into a file of its own that begins with the line `-- tsmicro: no transaction`: its statements run one by one, and when one
   * fails, the next start says what to look at.
   * @throws {MigrationError} when what was applied was changed or is missing, belongs to another service, or a migration fails
   */
  migrate(directory: URL, options?: MigrateOptions): Promise<{ readonly applied: readonly string[] }>
  /** Tries once whether the server can be used. */
  connect(): Promise<void>
  /** @throws {SERVICE_UNAVAILABLE} when no query is answered within 1.5 seconds */
  check(): Promise<void>
  /** Waits for running queries, three seconds at most, then closes all connections. Harmless when repeated. */
  close(): Promise<void>
}

/**
 * @example
 * const postgres: Postgres<Tables> = createPostgres<Tables>({ url: config.DATABASE_URL, applicationName: 'auth' })
 * await postgres.connect()
 * await postgres.migrate(new URL('../migrations/', import.meta.url))
 * const user = await postgres.db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
 * await postgres.close()
 */
export function createPostgres<DB>(options: PostgresOptions): Postgres<DB> {
  const { poolSize = 10, connectTimeoutMs = 5000, statementTimeoutMs = 30_000, applicationName, log } = options
  const Client = clientClass({
    url: options.url,
    applicationName,
    connectTimeoutMs,
    statementTimeoutMs: options.pooler ? undefined : statementTimeoutMs,
    // the server enforces the limit above; this one is for a server that can't be heard any more
    queryTimeoutMs: statementTimeoutMs + 5000,
  })
  const pool = new pg.Pool({ Client, max: poolSize, connectionTimeoutMillis: connectTimeoutMs })
  const lost = (error: Error) => log?.warn({}, `lost a connection to PostgreSQL: ${rootMessage(error)}`)
  pool.on('error', lost)
  const open = new Set<pg.PoolClient>()
  pool.on('connect', client => open.add(client))
  pool.on('remove', client => open.delete(client))
  const sessions = sessionPool(pool, {
    currentSignal: options.currentSignal,
    limitMs: options.pooler && statementTimeoutMs,
    prepared: new PreparedStatements(options.preparedStatements ?? options.pooler === undefined, log),
  })
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool: sessions, controlClient: Client as never }) })
  const migrator = {
    pool,
    open: () => new Client(),
    ownSession: options.pooler === undefined,
  }
  let closing: Promise<void> | undefined
  return {
    name: 'postgres',
    db,
    transaction: (run, transactionOptions) => runTransaction(db, run, transactionOptions),
    migrate: (directory, { service = applicationName } = {}) => migrate({ ...migrator, service }, directory),
    connect: () => checkPool(pool, connectTimeoutMs, options.pooler || statementTimeoutMs === 0 ? undefined : log),
    check: () => checkPool(pool),
    close: () => {
      closing ??= endPool(pool, open).catch(rethrow)
      return closing
    },
  }
}

export interface TransactionOptions {
  /** Default: the server's, `read committed`. */
  readonly isolation?: IsolationLevel
  /**
   * How often the whole function is run again after a serialization failure or a deadlock. Default 0. With more, the
   * function must do nothing outside the database that can't be done twice.
   */
  readonly retries?: number
  /**
   * Undoes the transaction when it aborts before COMMIT is sent: what is running on the server is cancelled, nothing further is
   * sent, and the promise is rejected with the signal's reason. Default: it runs to its end, whoever is gone.
   */
  readonly signal?: AbortSignal
}

/** @throws {SERVICE_UNAVAILABLE} also when the last attempt was undone in favour of another transaction */
export async function runTransaction<DB, T>(
  db: Kysely<DB>,
  run: (transaction: Transaction<DB>) => Promise<T>,
  { isolation, retries = 0, signal }: TransactionOptions = {},
): Promise<T> {
  const builder = isolation === undefined ? db.transaction() : db.transaction().setIsolationLevel(isolation)
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await transactionSignal.run(signal, () => builder.execute(run))
    } catch (error) {
      if (!isSerializationFailure(error) && !isStalePlan(error)) throw error
      if (attempt >= retries) throw new SERVICE_UNAVAILABLE(undefined, { cause: error })
      // by chance, so that the same two do not meet again
      await sleep(Math.random() * 10 * 2 ** Math.min(attempt, 5), undefined, { ...(signal && { signal }) })
    }
  }
}
