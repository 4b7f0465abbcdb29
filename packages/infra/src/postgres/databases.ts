import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError, ServerStartError } from '../errors.ts'
import { awaitPredecessor } from '../process/predecessor.ts'
import { runToEnd } from '../process/run.ts'
import { clusterPaths, type Toolbox, toolEnv } from './cluster.ts'

const NAME = /^[a-z_][a-z0-9_]{0,62}$/

/** Refuses names that would need quoting in SQL or escaping in a URL. */
export function checkDatabaseName(database: string): void {
  if (!NAME.test(database))
    throw new InfraError(`"${database}" is no database name: lower-case letters, digits and _, 63 at most`)
}

/**
 * Makes a database while the server does not run, through PostgreSQL's single-user mode: no driver and no open port needed.
 * What was made is remembered beside the data, so that the usual start skips this.
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
  if (failed.length > 0) throw new ServerStartError(`database ${database} cannot be made`, failed)
  await writeFile(`${paths.databases}.new`, JSON.stringify([...known, database]))
  await rename(`${paths.databases}.new`, paths.databases)
}
