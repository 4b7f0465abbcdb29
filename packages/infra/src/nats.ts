import { openDataDir, pidFile } from './data-dir.ts'
import { givenServer } from './given.ts'
import { missing } from './locate/found.ts'
import { locateNats, NATS_WANTED } from './locate/nats.ts'
import { ManagedServer } from './managed.ts'
import { awaitPredecessor } from './process/predecessor.ts'
import type { Server, StartOptions } from './server.ts'

/**
 * A NATS server with JetStream on 127.0.0.1, ready for connections.
 * @throws MissingServerError when there is none to run; ServerStartError when it does not come up
 * @example await using nats = await startNats({ ephemeral: true })
 */
export async function startNats(options: StartOptions = {}): Promise<Server> {
  if (options.url) return givenServer('nats', options.url, 4222, options.timeoutMs)
  const problems: string[] = []
  const found = await locateNats(options.sources, problems)
  if (found === undefined) throw missing(NATS_WANTED, problems)
  const data = await openDataDir('nats', options)
  const server = new ManagedServer(
    {
      name: 'nats',
      source: found.source,
      launch: async port => {
        await awaitPredecessor('nats', pidFile(data), data.path)
        return {
          name: 'nats',
          command: [
            ...[found.binary, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', data.path],
            ...(options.extraArgs ?? []),
          ],
          deathSignal: 'TERM',
        }
      },
      url: port => `nats://127.0.0.1:${port}`,
      ready: /Server is ready/,
      stopSignal: 'SIGTERM',
      data,
      pidFile: pidFile(data),
    },
    options,
  )
  await server.start()
  return server
}
