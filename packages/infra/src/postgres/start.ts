import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { POSTGRES_GREETING } from '../answers.ts'
import { openDataDir } from '../data-dir.ts'
import { givenServer } from '../given.ts'
import { missing } from '../locate/found.ts'
import { locatePostgres, POSTGRES_WANTED } from '../locate/postgres.ts'
import { ManagedServer } from '../managed.ts'
import { awaitPredecessor } from '../process/predecessor.ts'
import type { Server, StartOptions } from '../server.ts'
import {
  checkVersion,
  clusterPaths,
  hasCluster,
  makeCluster,
  removeUnfinished,
  type Toolbox,
  toolEnv,
  USER,
} from './cluster.ts'
import { checkDatabaseName, ensureDatabase } from './databases.ts'
import { chooseIdentity, handOver } from './identity.ts'
import { copyTemplate } from './template.ts'

/** Options of {@link startPostgres}. */
export interface PostgresOptions extends StartOptions {
  /** Database named in the URL, made when absent. Default `app`. */
  readonly database?: string | undefined
}

async function prepare(cluster: string, tools: Toolbox, database: string, ephemeral: boolean): Promise<void> {
  if (ephemeral) await copyTemplate(cluster, tools)
  else {
    await removeUnfinished(cluster)
    await makeCluster(cluster, tools, { durable: true, prepare: async () => {} })
    await checkVersion(cluster, tools.found)
  }
  await handOver(clusterPaths(cluster).data, tools.identity)
  await ensureDatabase(cluster, database, tools, !ephemeral)
}

/**
 * A PostgreSQL server on 127.0.0.1, ready for connections; `url` has user, password (random, kept with the data in a file of mode 600) and database.
 * Runs for root too, without any other user. An ephemeral one works on a copy of a template with `fsync=off`.
 * @throws MissingServerError when there is none to run; ServerStartError when it does not come up; InfraError for data of another major version
 * @example await using postgres = await startPostgres({ ephemeral: true, database: 'blog' })
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Server> {
  if (options.url) return givenServer('postgres', options.url, 5432, options.timeoutMs)
  const database = options.database ?? 'app'
  checkDatabaseName(database)
  const problems: string[] = []
  const found = await locatePostgres(options.sources, problems)
  if (found === undefined) throw missing(POSTGRES_WANTED, problems)

  const folder = await openDataDir('postgres', options)
  const cluster = join(folder.path, 'cluster')
  const { data, password: passwordFile } = clusterPaths(cluster)
  const tools = { found, identity: await chooseIdentity(found, (await hasCluster(cluster)) ? data : folder.path) }
  try {
    await prepare(cluster, tools, database, folder.ephemeral)
  } catch (error) {
    await folder.cleanUp()
    throw error
  }
  const password = await readFile(passwordFile, 'utf8')
  const server = new ManagedServer(
    {
      name: 'postgres',
      source: found.source,
      launch: async port => {
        await awaitPredecessor('PostgreSQL', join(data, 'postmaster.pid'), data)
        return {
          name: 'postgres',
          command: [
            ...[found.binary, '-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'shared_buffers=32MB'],
            ...(folder.ephemeral ? ['-c', 'fsync=off'] : []),
            ...(options.extraArgs ?? []),
          ],
          prefix: tools.identity.prefix,
          env: toolEnv(found),
          deathSignal: 'INT',
        }
      },
      url: port => `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`,
      greeting: POSTGRES_GREETING,
      ready: /database system is ready to accept connections/,
      // The backends of a postmaster that was killed take a moment to notice and to let go of the shared memory.
      passing: /pre-existing shared memory block|lock file "postmaster.pid" already exists/,
      stopSignal: 'SIGINT',
      data: folder,
    },
    options,
  )
  await server.start()
  return server
}
