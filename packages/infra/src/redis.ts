import { type DataDir, openDataDir, pidFile } from './data-dir.ts'
import { givenServer } from './given.ts'
import { missing } from './locate/found.ts'
import { locateRedis, REDIS_WANTED } from './locate/redis.ts'
import { ManagedServer } from './managed.ts'
import { awaitPredecessor } from './process/predecessor.ts'
import type { Server, StartOptions } from './server.ts'

/** Every key is synced before it is acknowledged: a deletion that a crash undoes would bring back what somebody was told is gone. */
const KEPT = ['--appendonly', 'yes', '--appendfsync', 'always']

function command(binary: string, data: DataDir, port: number): string[] {
  return [
    ...[binary, '--bind', '127.0.0.1', '--port', String(port), '--dir', data.path, '--save', ''],
    // Its own title would hide the folder, by which `awaitPredecessor` knows it.
    ...['--daemonize', 'no', '--set-proc-title', 'no'],
    ...(data.ephemeral ? ['--appendonly', 'no'] : KEPT),
  ]
}

/**
 * A Redis server on 127.0.0.1, ready for connections. An ephemeral one keeps nothing, not even over `restart`;
 * one with `dataDir` keeps every write it acknowledged.
 * @throws MissingServerError when there is none to run; ServerStartError when it does not come up
 * @example await using redis = await startRedis({ ephemeral: true })
 */
export async function startRedis(options: StartOptions = {}): Promise<Server> {
  if (options.url) return givenServer('redis', options.url, 6379, options.timeoutMs)
  const problems: string[] = []
  const found = await locateRedis(options.sources, problems)
  if (found === undefined) throw missing(REDIS_WANTED, problems)
  const data = await openDataDir('redis', options)
  const server = new ManagedServer(
    {
      name: 'redis',
      source: found.source,
      launch: async port => {
        await awaitPredecessor('redis', pidFile(data), data.path)
        return {
          name: 'redis',
          command: [...command(found.binary, data, port), ...(options.extraArgs ?? [])],
          deathSignal: 'TERM',
        }
      },
      url: port => `redis://127.0.0.1:${port}`,
      ready: /Ready to accept connections/,
      stopSignal: 'SIGTERM',
      data,
      pidFile: pidFile(data),
    },
    options,
  )
  await server.start()
  return server
}
