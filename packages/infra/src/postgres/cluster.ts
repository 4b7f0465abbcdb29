import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InfraError } from '../errors.ts'
import type { Found } from '../locate/found.ts'
import { childEnvironment } from '../process/environment.ts'
import { runToEnd } from '../process/run.ts'
import type { Identity } from './identity.ts'

/** What runs PostgreSQL's programs. */
export interface Toolbox {
  readonly found: Found
  readonly identity: Identity
}

/** User every cluster is made with. */
export const USER = 'app'

/** Paths of a cluster's parts. */
export function clusterPaths(cluster: string): { data: string; password: string; databases: string } {
  return {
    data: join(cluster, 'data'),
    password: join(cluster, 'password'),
    databases: join(cluster, 'databases.json'),
  }
}

/** Environment for PostgreSQL's programs: messages in English (they are read), nothing of the caller's PG* settings. */
export function toolEnv(found: Found): NodeJS.ProcessEnv {
  return { ...childEnvironment(), LC_ALL: 'C', ...found.env }
}

/** Whether a cluster stands at this path: it gets there by a rename, finished or not at all. */
export async function hasCluster(cluster: string): Promise<boolean> {
  try {
    await readFile(clusterPaths(cluster).databases)
    return true
  } catch {
    return false
  }
}

/**
 * Makes a cluster at `cluster` unless one is there: password, files, no database but PostgreSQL's own. It is made beside its place and moved there
 * when it is complete, so an interrupted start begins again and of two that start at once one wins.
 * @param durable sync to disk, and the usual size of WAL files; otherwise neither (1 MB instead of 16)
 */
export async function makeCluster(
  cluster: string,
  { found, identity }: Toolbox,
  options: { durable: boolean; prepare: (cluster: string) => Promise<void> },
): Promise<void> {
  if (await hasCluster(cluster)) return
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
    await rename(draft, cluster).catch(async error => {
      if (!(await hasCluster(cluster))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Removes what interrupted starts left beside `cluster`. Only for a folder that nobody else starts in at the same time. */
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
      `The data in ${dirname(cluster)} was made by PostgreSQL ${made}, and this is ${found.version[0]}: ` +
        'start anew with an empty folder, or migrate it with pg_dump.',
    )
}
