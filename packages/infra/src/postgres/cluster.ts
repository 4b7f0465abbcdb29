import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InfraError, ServerStartError } from '../errors.ts'
import type { Found } from '../locate.ts'
import { childEnvironment, runToEnd } from '../process/child.ts'
import { awaitPredecessor } from '../process/tree.ts'
import type { Identity } from './identity.ts'

/** What runs PostgreSQL's programs. */
export interface Toolbox {
  readonly found: Found
  readonly identity: Identity
}

/** The user that every cluster is created with. */
export const USER = 'app'

/** The paths of a cluster's parts. */
export function clusterPaths(cluster: string): { data: string; password: string; databases: string } {
  return {
    data: join(cluster, 'data'),
    password: join(cluster, 'password'),
    databases: join(cluster, 'databases.json'),
  }
}

/** The environment for PostgreSQL's programs: messages in English, as we parse them, and none of the caller's PG* settings. */
export function toolEnv(found: Found): NodeJS.ProcessEnv {
  return { ...childEnvironment(), LC_ALL: 'C', ...found.env }
}

/** Whether there is a cluster at this path. It gets there by a rename, so it is always complete. */
export const hasCluster = (cluster: string): boolean => existsSync(clusterPaths(cluster).databases)

/**
 * Creates a cluster at `cluster` unless there is one: its password, its files, and only PostgreSQL's own databases. It is created
 * beside its final path and renamed when it is complete. So an interrupted start begins again, and if two start at once, one wins.
 * @param durable whether to sync to disk and use WAL files of the usual size (16 MB instead of 1)
 */
export async function makeCluster(
  cluster: string,
  { found, identity }: Toolbox,
  options: { durable: boolean; prepare: (cluster: string) => Promise<void> },
): Promise<void> {
  if (hasCluster(cluster)) return
  const place = dirname(cluster)
  const unfinished = `${basename(cluster)}.unfinished-`
  await mkdir(place, { recursive: true, mode: 0o700 })
  const draft = await mkdtemp(join(place, unfinished))
  const { data, password, databases } = clusterPaths(draft)
  try {
    await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 })
    await runToEnd({
      name: 'initdb',
      command: [
        join(dirname(found.binary), 'initdb'),
        ...['-D', data, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${password}`],
        ...['--no-locale', '-E', 'UTF8', ...(options.durable ? [] : ['--no-sync', '--wal-segsize=1'])],
      ],
      prefix: identity.prefix,
      env: toolEnv(found),
      deathSignal: 'KILL',
    })
    await writeFile(databases, '["postgres"]')
    await options.prepare(draft)
    await rename(draft, cluster).catch(error => {
      if (!hasCluster(cluster)) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Removes what interrupted starts have left beside `cluster`. Only for a folder in which nothing else starts at the same time. */
export async function removeUnfinished(cluster: string): Promise<void> {
  const place = dirname(cluster)
  for (const entry of await readdir(place))
    if (entry.startsWith(`${basename(cluster)}.unfinished-`))
      await rm(join(place, entry), { recursive: true, force: true, maxRetries: 5 })
}

/** Refuses data of another major version: PostgreSQL cannot read it. */
export async function checkVersion(cluster: string, found: Found): Promise<void> {
  const made = (await readFile(join(clusterPaths(cluster).data, 'PG_VERSION'), 'utf8')).trim()
  if (made !== String(found.version[0]))
    throw new InfraError(
      `The data in ${dirname(cluster)} was created by PostgreSQL ${made}, but this is ${found.version[0]}: ` +
        'start again with an empty folder, or migrate the data with pg_dump.',
    )
}

const NAME = /^[a-z_][a-z0-9_]{0,62}$/

/** @throws InfraError for a name that would need quoting in SQL or escaping in a URL */
export function checkDatabaseName(database: string): void {
  if (!NAME.test(database))
    throw new InfraError(
      `"${database}" cannot be the name of a database: use up to 63 lower-case letters, digits and _`,
    )
}

/**
 * Creates a database while the server does not run, in PostgreSQL's single-user mode, which needs neither a driver nor an open
 * port. A file beside the data lists the databases, so that the usual start skips this.
 */
export async function ensureDatabase(
  cluster: string,
  database: string,
  tools: Toolbox,
  durable: boolean,
): Promise<void> {
  const paths = clusterPaths(cluster)
  const known = JSON.parse(await readFile(paths.databases, 'utf8')) as string[]
  if (known.includes(database)) return
  await awaitPredecessor('PostgreSQL', join(paths.data, 'postmaster.pid'), paths.data)
  const script = join(cluster, 'create.sql')
  await writeFile(script, `CREATE DATABASE "${database}"\n`)
  const output = await runToEnd({
    name: 'postgres --single',
    command: [
      ...['sh', '-c', 'exec "$@" <"$0"', script],
      ...[tools.found.binary, '--single', ...(durable ? [] : ['-F']), '-D', paths.data, 'postgres'],
    ],
    prefix: tools.identity.prefix,
    env: toolEnv(tools.found),
    deathSignal: 'TERM',
  })
  const failed = output.filter(line => /(ERROR|FATAL|PANIC): /.test(line) && !line.includes('already exists'))
  if (failed.length > 0) throw new ServerStartError(`database ${database} cannot be created`, failed)
  await writeFile(`${paths.databases}.new`, JSON.stringify([...known, database]))
  await rename(`${paths.databases}.new`, paths.databases)
}
