import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { POSTGRES_GREETING } from '../answers.ts'
import { openDataDir, scratchDir } from '../data-dir.ts'
import { requireProgram } from '../locate.ts'
import { ManagedServer } from '../managed.ts'
import { awaitPredecessor } from '../process/tree.ts'
import { givenServer, type Server, type StartOptions } from '../server.ts'
import {
  checkDatabaseName,
  checkVersion,
  clusterPaths,
  ensureDatabase,
  hasCluster,
  makeCluster,
  removeUnfinished,
  type Toolbox,
  toolEnv,
  USER,
} from './cluster.ts'
import { chooseIdentity, handOver } from './identity.ts'
import { locatePostgres, POSTGRES } from './locate.ts'

/** The options of {@link startPostgres}. */
export interface PostgresOptions extends StartOptions {
  /** The database in the URL, created if missing. Default `app`. */
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
 * Starts a PostgreSQL server on 127.0.0.1, which accepts connections when the promise resolves. `url` contains the user, the database
 * and the password, which is random and stored with the data in a file of mode 600. It also runs for root. An ephemeral server works
 * on a copy of a template, with `fsync=off`.
 * @throws MissingServerError if there is no program to run; ServerStartError if it does not come up; InfraError for data of another major version
 * @example await using postgres = await startPostgres({ ephemeral: true, database: 'blog' })
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Server> {
  if (options.url) return givenServer('postgres', options.url, 5432, options.timeoutMs)
  const database = options.database ?? 'app'
  checkDatabaseName(database)
  const found = await requireProgram(POSTGRES, locatePostgres, options.sources)
  const folder = await openDataDir('postgres', options)
  const cluster = join(folder.path, 'cluster')
  const { data, password: passwordFile } = clusterPaths(cluster)
  const tools = { found, identity: await chooseIdentity(found, hasCluster(cluster) ? data : folder.path) }
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
      // The backends of a killed postmaster take a moment to notice it and release the shared memory.
      temporary: /pre-existing shared memory block|lock file "postmaster.pid" already exists/,
      stopSignal: 'SIGINT',
      data: folder,
    },
    options,
  )
  await server.start()
  return server
}

const run = promisify(execFile)

async function countEntries(dir: string): Promise<number> {
  return (await readdir(dir, { recursive: true })).length
}

/** The path of this user's template for this very program. */
async function templatePath({ found, identity }: Toolbox): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([found.binary, found.version, identity]))
    .digest('hex')
    .slice(0, 12)
  return join(await scratchDir(), `postgres-template-${key}`)
}

/**
 * Creates a new cluster with the database `app` at `cluster`, as a copy of a template that the first call creates: measured 1.3 s for
 * initdb, 70 ms for `cp -R` (and 1.9 s for fs.cp of its 1,300 files). A template that has lost files, as temporary folders are swept
 * by age, is created again.
 */
async function copyTemplate(cluster: string, tools: Toolbox): Promise<void> {
  const template = await templatePath(tools)
  for (let attempt = 1; ; attempt++) {
    await makeCluster(template, tools, {
      durable: false,
      prepare: async draft => {
        await ensureDatabase(draft, 'app', tools, false)
        await writeFile(join(draft, 'entries'), '')
        await writeFile(join(draft, 'entries'), String(await countEntries(draft)))
      },
    })
    try {
      await run('cp', ['-R', template, cluster])
      const expected = Number(await readFile(join(cluster, 'entries'), 'utf8'))
      if ((await countEntries(cluster)) === expected) return
    } catch (error) {
      if (attempt === 3) throw error
    }
    await rm(cluster, { recursive: true, force: true })
    await rm(template, { recursive: true, force: true })
  }
}
