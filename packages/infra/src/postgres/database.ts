import { InfraError } from '../errors.ts'
import { checkDatabaseName } from './cluster.ts'

const DUPLICATE_DATABASE = '42P04'
/** Somebody else creates it at the same moment: PostgreSQL may say it by the index instead. */
const UNIQUE_VIOLATION = '23505'

/**
 * The address of another database of the same server.
 * @throws InfraError for a name that would need quoting
 * @example postgresDatabaseUrl('postgres://me:secret@127.0.0.1:5432/app', 'orders') // postgres://me:secret@127.0.0.1:5432/orders
 */
export function postgresDatabaseUrl(url: string, name: string): string {
  checkDatabaseName(name)
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.href
}

/**
 * Creates a database if it is missing.
 * @param url of any database of the server, as a user who may create others
 * @throws InfraError if it cannot be created
 */
export async function createPostgresDatabase(url: string, name: string): Promise<void> {
  checkDatabaseName(name)
  // Loaded only here: most systems need no database but the server's own.
  const { Client } = (await import('pg')).default
  const client = new Client({ connectionString: url })
  try {
    await client.connect()
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name])
    if (rowCount === 0) await client.query(`CREATE DATABASE "${name}"`)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code === DUPLICATE_DATABASE || code === UNIQUE_VIOLATION) return
    throw new InfraError(`The database ${name} cannot be created: ${message}`, { cause: error })
  } finally {
    await client.end()
  }
}
