import type { Pool } from 'pg'
import { SERVICE_UNAVAILABLE, within } from '../errors/index.ts'
import { translate } from './errors.ts'

const defaultLimitMs = 1500
const UNLIMITED =
  "PostgreSQL knows no limit for statements: a pooler ignores it, so set pooler to 'transaction' (DATABASE_POOLER=transaction)"

/**
 * Asks the server for the simplest thing, for at most so long.
 * @param log told when the server does not know the limit of statements: a pooler can be set up to pass over it in silence
 */
export async function checkPool(
  pool: Pool,
  limitMs = defaultLimitMs,
  log?: { warn(fields: object, message: string): void },
): Promise<void> {
  const late = () => new Error(`PostgreSQL did not answer within ${limitMs} ms`)
  try {
    const limited = await within(limitMs, ask(pool, limitMs), late)
    if (!limited) log?.warn({}, UNLIMITED)
  } catch (error) {
    const translated = translate(error)
    if (translated instanceof SERVICE_UNAVAILABLE) throw translated
    throw new SERVICE_UNAVAILABLE(undefined, { cause: error, retryAfterSeconds: 1 })
  }
}

/** Whether the server ends statements that take too long. */
async function ask(pool: Pool, limitMs: number): Promise<boolean> {
  const client = await pool.connect()
  try {
    // its own limit, so that a server that hangs does not keep a connection for each check
    const question = { text: "select current_setting('statement_timeout') as most", query_timeout: limitMs }
    const { rows } = await client.query<{ most: string }>(question)
    client.release()
    return rows[0]?.most !== '0'
  } catch (error) {
    client.release(true)
    throw error
  }
}
