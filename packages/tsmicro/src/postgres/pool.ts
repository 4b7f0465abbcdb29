import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { SERVICE_UNAVAILABLE, settledWithin, within } from '../errors/index.ts'
import { translate, translateConnect } from './errors.ts'
import { Session, type SessionOptions } from './session.ts'

/**
 * A pool of {@link Session}s for Kysely. A plugin of Kysely could not do the same: it sees queries and results, but neither
 * errors nor BEGIN and COMMIT.
 */
export function sessionPool(pool: Pool, options: SessionOptions): PostgresPool {
  // Kysely keeps state by client object, so the same client always gets the same wrapper.
  const wrappers = new WeakMap<PoolClient, PostgresPoolClient>()
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch(rethrow)
      const wrapper = wrappers.get(client) ?? wrap(client, options)
      wrappers.set(client, wrapper)
      return wrapper
    },
  }
}

function wrap(client: PoolClient, options: SessionOptions): PostgresPoolClient {
  const session = new Session(client, options)
  const id: unknown = Reflect.get(client, 'processID')
  return {
    query: session.query.bind(session) as unknown as PostgresPoolClient['query'],
    release: session.release.bind(session),
    ...(typeof id === 'number' && { processID: id }),
  }
}

export function rethrow(error: unknown): never {
  throw translateConnect(error)
}

const CHECK_MS = 1500
const UNLIMITED =
  "PostgreSQL has no time limit for statements: a pooler ignores it, so set pooler to 'transaction' (DATABASE_POOLER=transaction)"

/**
 * Runs the simplest query, with a time limit.
 * @param log warned if the server does not know the time limit of statements: a pooler can be configured to ignore it silently
 */
export async function checkPool(
  pool: Pool,
  limitMs = CHECK_MS,
  log?: { warn(fields: object, message: string): void },
): Promise<void> {
  const late = () => new Error(`PostgreSQL did not answer within ${limitMs} ms`)
  try {
    const limited = await within(limitMs, hasTimeLimit(pool, limitMs), late)
    if (!limited) log?.warn({}, UNLIMITED)
  } catch (error) {
    const translated = translate(error)
    if (translated instanceof SERVICE_UNAVAILABLE) throw translated
    throw new SERVICE_UNAVAILABLE(undefined, { cause: error, retryAfterSeconds: 1 })
  }
}

/** Whether the server ends statements that take too long. */
async function hasTimeLimit(pool: Pool, limitMs: number): Promise<boolean> {
  const client = await pool.connect()
  try {
    // A limit of its own, so that a server that hangs does not keep a connection for each check.
    const question = { text: "select current_setting('statement_timeout') as most", query_timeout: limitMs }
    const { rows } = await client.query<{ most: string }>(question)
    client.release()
    return rows[0]?.most !== '0'
  } catch (error) {
    client.release(true)
    throw error
  }
}

/**
 * For running queries to end. Requests have been waited for already; a server that hangs would keep the queries for half a
 * minute.
 */
const QUERIES_MS = 3000
const CUT_MS = 500

/**
 * Ends a pool, and destroys the connections that are not returned to it.
 * @param open the pool's connections, kept up to date
 */
export async function endPool(pool: Pool, open: ReadonlySet<PoolClient>): Promise<void> {
  const ended = pool.end()
  if (await settledWithin(QUERIES_MS, ended)) return ended
  // Part of pg's client, but not of its types.
  type Wired = { readonly connection?: { readonly stream?: { destroy(): void } } }
  for (const client of open) (client as Wired).connection?.stream?.destroy()
  // Nothing more can be done about a connection that is still being made: it has its own time limit.
  if (await settledWithin(CUT_MS, ended)) return ended
}
