import type { Pool } from 'pg'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { translate } from './errors.ts'

const defaultLimitMs = 1500

/** Asks the server for the simplest thing, for at most so long. */
export async function checkPool(pool: Pool, limitMs = defaultLimitMs): Promise<void> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`PostgreSQL did not answer within ${limitMs} ms`)), limitMs)
  try {
    await Promise.race([ask(pool, limitMs), timeout])
  } catch (error) {
    const translated = translate(error)
    if (translated instanceof SERVICE_UNAVAILABLE) throw translated
    throw new SERVICE_UNAVAILABLE(undefined, { cause: error, retryAfterSeconds: 1 })
  } finally {
    clearTimeout(timer)
  }
}

async function ask(pool: Pool, limitMs: number): Promise<void> {
  const client = await pool.connect()
  try {
    // its own limit, so that a server that hangs does not keep a connection for each check
    await client.query({ text: 'select 1', query_timeout: limitMs } as { text: string })
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
}
