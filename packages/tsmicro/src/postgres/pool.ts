import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { translateConnect } from './errors.ts'
import { Session, type SessionOptions } from './session.ts'

/**
 * A pool for Kysely of {@link Session}s. It has to happen here: a Kysely plugin sees queries and results, but no errors, and
 * no BEGIN or COMMIT.
 */
export function sessionPool(pool: Pool, options: SessionOptions): PostgresPool {
  // Kysely keeps its own state by client object: the same client gets the same wrapper
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
  return {
    query: session.query.bind(session) as unknown as PostgresPoolClient['query'],
    release: session.release.bind(session),
    ...pid(client),
  }
}

function pid(client: PoolClient): { processID?: number } {
  const id: unknown = Reflect.get(client, 'processID')
  return typeof id === 'number' ? { processID: id } : {}
}

export function rethrow(error: unknown): never {
  throw translateConnect(error)
}
