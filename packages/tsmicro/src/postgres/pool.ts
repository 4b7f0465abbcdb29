import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { translate } from './errors.ts'

/**
 * A pool for Kysely whose every failure is translated. It has to happen here: a Kysely plugin sees queries and results, but
 * no errors, and no BEGIN or COMMIT.
 */
export function translatingPool(pool: Pool): PostgresPool {
  // Kysely keeps its own state by client object: the same client gets the same wrapper
  const wrappers = new WeakMap<PoolClient, PostgresPoolClient>()
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch(rethrow)
      const wrapper = wrappers.get(client) ?? wrap(client)
      wrappers.set(client, wrapper)
      return wrapper
    },
  }
}

function wrap(client: PoolClient): PostgresPoolClient {
  let broken: unknown
  const query = async (text: string, values?: readonly unknown[]) => {
    // nothing more can be had from it: without this a ROLLBACK would wait for its own time-out
    if (broken !== undefined) throw broken
    try {
      return await client.query(text, values as unknown[])
    } catch (error) {
      const translated = translate(error)
      // a statement that timed out on the server leaves a good connection; one that we gave up on is still running there
      if (translated !== error && !hasSqlState(error)) broken = translated
      throw translated
    }
  }
  return {
    query: query as unknown as PostgresPoolClient['query'],
    release: destroy => client.release(destroy || broken !== undefined),
    ...pid(client),
  }
}

function hasSqlState(error: unknown): boolean {
  return error instanceof Error && 'severity' in error
}

function pid(client: PoolClient): { processID?: number } {
  const id: unknown = Reflect.get(client, 'processID')
  return typeof id === 'number' ? { processID: id } : {}
}

export function rethrow(error: unknown): never {
  throw translate(error)
}
