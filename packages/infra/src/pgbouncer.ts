import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ServerStartError } from './errors.ts'
import { freePort } from './ports.ts'
import { endChild, spawnChild, startOutcome } from './process/child.ts'

/** A running PgBouncer. */
export interface Pgbouncer extends AsyncDisposable {
  readonly url: string
}

/** How {@link startPgbouncer} is set up. */
export interface PgbouncerOptions {
  /** The only database besides `nowhere`, which the server need not have. Default `app`. */
  readonly database?: string
  /** Settings of its configuration file, in addition to `pool_mode = transaction` or instead of it. */
  readonly settings?: Readonly<Record<string, string | number>>
}

const UP_MS = 20_000
const GRACE_MS = 2000

/** The path of PgBouncer. Debian installs it in a folder that is not on the PATH of ordinary users. */
export function locatePgbouncer(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map(folder => join(folder, 'pgbouncer')).find(existsSync)
}

/**
 * Starts PgBouncer on 127.0.0.1 in front of a PostgreSQL server, to test what is different then.
 * @throws ServerStartError if this machine has none, or it does not come up
 * @example await using pooler = await startPgbouncer(postgres.url, { settings: { default_pool_size: 3 } })
 */
export async function startPgbouncer(server: string, options: PgbouncerOptions = {}): Promise<Pgbouncer> {
  const program = locatePgbouncer()
  if (program === undefined) throw new ServerStartError('there is no pgbouncer on this machine')
  const { database = 'app', settings = {} } = options
  const { username, password, hostname, port } = new URL(server)
  const directory = await mkdtemp(join(tmpdir(), 'pgbouncer-'))
  const write = async (name: string, lines: readonly string[]) => {
    await writeFile(join(directory, name), `${lines.join('\n')}\n`)
    return join(directory, name)
  }
  const users = await write('users', [`"${username}" "${password}"`])
  const own = await freePort()
  const all = {
    ...{ listen_addr: '127.0.0.1', listen_port: own, unix_socket_dir: '' },
    ...{ auth_type: 'scram-sha-256', auth_file: users, pool_mode: 'transaction' },
    ...settings,
  }
  const target = `host=${hostname} port=${port}`
  const file = await write('ini', [
    ...['[databases]', `${database} = ${target}`, `nowhere = ${target}`, '[pgbouncer]'],
    ...Object.entries(all).map(([key, value]) => `${key} = ${value}`),
  ])
  // It refuses to run as root, too, and then has to read its files as another user.
  await chmod(directory, 0o755)
  const identity = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const isReady = Promise.withResolvers<void>()
  const child = await spawnChild({
    name: 'pgbouncer',
    command: [program, ...identity, file],
    deathSignal: 'KILL',
    onLine: line => line.includes('process up') && isReady.resolve(),
  })
  const outcome = await startOutcome(child, isReady.promise, UP_MS)
  const stop = async () => {
    await endChild(child, 'SIGINT', GRACE_MS)
    await rm(directory, { recursive: true, force: true })
  }
  if (outcome !== 'ready') {
    await stop()
    throw new ServerStartError('pgbouncer did not come up', child.output)
  }
  return { url: `postgres://${username}:${password}@127.0.0.1:${own}/${database}`, [Symbol.asyncDispose]: stop }
}
