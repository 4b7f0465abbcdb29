import { setTimeout as sleep } from 'node:timers/promises'
import { AbortedTransactionError, type IsolationLevel, Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { isDependencyFailure, rootMessage, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import type { OutboxStore } from '../stores/index.ts'
import { clientClass } from './client.ts'
import type { Ending } from './ending.ts'
import { isSerializationFailure } from './errors.ts'
import { createIdempotencyStore, type PostgresIdempotencyStore } from './idempotency-store.ts'
import { createInboxStore, type PostgresInboxStore } from './inbox-store.ts'
import { type MigrateOptions, migrate } from './migrations/migrate.ts'
import { PostgresOutboxStore } from './outbox-store.ts'
import { checkPool, endPool, rethrow, sessionPool } from './pool.ts'
import { isStalePlan, PreparedStatements } from './prepared.ts'
import { transactionSignal } from './session.ts'
import { executeTransaction } from './transactions.ts'

export interface PostgresOptions {
  /**
   * `postgres://user:password@host:5432/database`. `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `sslcrl` and `sslpassword`
   * mean the same as in libpq. The default is `prefer`: TLS if the server supports it, without checking its certificate. Two
   * differences: `verify-full` without `sslrootcert` uses the authorities that Node knows, and `allow` is refused.
   */
  readonly url: string
  /**
   * `transaction` for a pooler that may give each transaction another session, such as PgBouncer 1.18 or newer with any
   * `pool_mode` except `statement`. Then nothing is expected of a session: the time limit of statements is set in each
   * transaction, and outside transactions the client cancels statements that take too long. Default: no pooler, or one that
   * keeps a session per connection and passes `statement_timeout` on, which PgBouncer refuses.
   */
  readonly pooler?: 'transaction' | undefined
  /** Maximum number of connections. Default 10. */
  readonly poolSize?: number
  /**
   * Whether recurring statements with parameters are prepared, at most 200 per connection. Default true, and false behind a
   * `pooler`. If the columns of a prepared statement have changed meanwhile, it is sent again; in a transaction that is
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
   * What ends the reads of the current caller: a `select` outside transactions is cancelled on the server when the signal aborts or
   * the deadline ends, and rejects with its reason. Changes are not cancelled: see `TransactionOptions.signal`. In a service:
   * `() => currentContext()?.deadline`, which costs less than its `signal`, as no AbortController is made for a read that nobody cancels.
   */
  readonly currentSignal?: () => AbortSignal | Ending | undefined
  /** Receives what nobody else would notice: lost idle connections, and time limits that a pooler does not pass on. */
  readonly log?: { warn(fields: object, message: string): void }
}

interface TransactionOptions {
  /** Default: the server's, `read committed`. */
  readonly isolation?: IsolationLevel
  /**
   * How often the whole function is run again after a serialization failure or a deadlock. Default 0. Otherwise, the function
   * must not do anything outside the database that can't be done twice.
   */
  readonly retries?: number
  /**
   * Undoes the transaction if it aborts before COMMIT is sent: the running statement is cancelled on the server, nothing
   * further is sent, and the promise is rejected with the signal's reason. Default: the transaction is completed even if its
   * caller is gone.
   */
  readonly signal?: AbortSignal
}

/**
 * A PostgreSQL database. If it can't be reached, queries fail with `SERVICE_UNAVAILABLE`; statements that take too long fail
 * with `DEADLINE_EXCEEDED`. Both have the driver's error as cause. Violated constraints are recognised by `isUniqueViolation`
 * and similar functions. Reconnects by itself when the server is back.
 */
export interface Postgres<DB> {
  readonly name: 'postgres'
  /** Typed queries. */
  readonly db: Kysely<DB>
  /**
   * Runs a function in a transaction, which is committed if it returns and rolled back if it throws. PostgreSQL also rolls it back if a
   * statement has failed in it whose error was caught: then this rejects with Kysely's `AbortedTransactionError`, caused by that error.
   */
  transaction<T>(run: (transaction: Transaction<DB>) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Applies the migrations `NNNN_name.sql` of a directory that were not applied yet, in order, each in a transaction that it
   * must not end (`COMMIT` and similar statements are refused before anything runs, as is everything that only psql
   * understands). Safe if several instances start at the same time. A statement that PostgreSQL does not run in a transaction,
   * like `CREATE INDEX CONCURRENTLY`, goes into a separate file that begins with the line `-- tsmicro: no transaction`: its
   * statements run one by one, and if one fails, the next start says what to check.
   * @throws {MigrationError} if an applied migration was changed, is missing or belongs to another service, or if a migration
   * fails
   */
  migrate(directory: URL, options?: MigrateOptions): Promise<{ readonly applied: readonly string[] }>
  /**
   * For the middleware `idempotencyKey`: answers in the table `idempotency_keys`, which is created when it is first needed. What has
   * lapsed is deleted every minute.
   */
  idempotencyStore(): PostgresIdempotencyStore
  /**
   * For `createOutbox`: events in the tables `tsmicro_outbox…`, which a service creates when it starts, unless they exist. Events of a
   * {@link Postgres.transaction} are sent at once when it is committed, those of Kysely's own transactions within a second.
   */
  outboxStore(): OutboxStore<Transaction<DB>>
  /** For `inboxes` of a module: what handlers have recorded, in the table `tsmicro_inbox`, which a service creates when it starts. */
  inboxStore(): PostgresInboxStore
  /** Checks once whether the server can be used. */
  connect(): Promise<void>
  /** @throws {SERVICE_UNAVAILABLE} if a query is not answered within 1.5 seconds */
  check(): Promise<void>
  /** Waits at most three seconds for running queries, then closes all connections. May be called twice. */
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
    // The server enforces the limit above; this one is for a server that no longer answers.
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
  const migrator = { pool, open: () => new Client(), ownSession: options.pooler === undefined }
  let closing: Promise<void> | undefined
  return {
    name: 'postgres',
    db,
    transaction: (run, transactionOptions) => runTransaction(db, run, transactionOptions),
    migrate: (directory, { service = applicationName } = {}) => migrate({ ...migrator, service }, directory),
    idempotencyStore: () => createIdempotencyStore(db),
    outboxStore: () => new PostgresOutboxStore(db),
    inboxStore: () => createInboxStore(db),
    connect: () => checkPool(pool, connectTimeoutMs, options.pooler || statementTimeoutMs === 0 ? undefined : log),
    check: () => checkPool(pool),
    close: () => {
      closing ??= endPool(pool, open).catch(rethrow)
      return closing
    },
  }
}

/** @throws {SERVICE_UNAVAILABLE} also if the last attempt was rolled back in favour of another transaction */
async function runTransaction<DB, T>(
  db: Kysely<DB>,
  run: (transaction: Transaction<DB>) => Promise<T>,
  { isolation, retries = 0, signal }: TransactionOptions = {},
): Promise<T> {
  const builder = isolation === undefined ? db.transaction() : db.transaction().setIsolationLevel(isolation)
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await transactionSignal.run(signal, () => executeTransaction(builder, run))
    } catch (thrown) {
      const error = thrown instanceof AbortedTransactionError ? thrown.cause : thrown
      if (isDependencyFailure(error)) throw error
      if (!isSerializationFailure(error) && !isStalePlan(error)) throw thrown
      if (attempt >= retries) throw new SERVICE_UNAVAILABLE(undefined, { cause: error })
      // A random time, so that the same two do not conflict again.
      await sleep(Math.random() * 10 * 2 ** Math.min(attempt, 5), undefined, { ...(signal && { signal }) })
    }
  }
}
