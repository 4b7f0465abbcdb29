import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type Server, startNats, startPostgres } from '@tsmicro/infra'
import pg from 'pg'

/** The servers of one test file. Everything is stopped in reverse order when the file is done. */
export interface Servers {
  readonly postgres: Server
  readonly nats: Server
  readonly keysDir: string
  /** Environment of an auth service on these servers, on any free port. */
  readonly env: Readonly<Record<string, string>>
  /** Runs SQL beside the service. */
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs SQL on a separate connection, which keeps its locks until it is released. */
  hold(text: string): Promise<{ release(): Promise<void> }>
  readonly cleanUp: AsyncDisposableStack
}

export async function startServers(): Promise<Servers> {
  const cleanUp = new AsyncDisposableStack()
  after(() => cleanUp.disposeAsync())
  const keysDir = await mkdtemp(join(tmpdir(), 'auth-keys-'))
  cleanUp.defer(() => rm(keysDir, { recursive: true, force: true }))
  const [postgres, nats] = await Promise.all([startPostgres({ ephemeral: true }), startNats({ ephemeral: true })])
  cleanUp.use(postgres)
  cleanUp.use(nats)
  const pool = new pg.Pool({ connectionString: postgres.url, max: 3 })
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  cleanUp.defer(() => pool.end())
  return {
    postgres,
    nats,
    keysDir,
    cleanUp,
    env: {
      // A busy machine's requests take their time; whoever tests the deadline sets another.
      REQUEST_TIMEOUT_MS: '60000',
      NODE_ENV: 'test',
      PORT: '0',
      LOG_LEVEL: 'debug',
      DATABASE_URL: postgres.url,
      NATS_URL: nats.url,
      KEYS_DIR: keysDir,
      // All tests of a file come from one address.
      SIGN_UPS_PER_ADDRESS: '1000000',
    },
    sql: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await pool.query(text, [...values])).rows as Row[],
    async hold(text) {
      const client = new pg.Client({ connectionString: postgres.url })
      client.on('error', () => undefined)
      await client.connect()
      await client.query(text)
      return { release: () => client.end() }
    },
  }
}
