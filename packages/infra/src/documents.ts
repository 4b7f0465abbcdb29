import { type DataDir, openDataDir, pidFile } from './data-dir.ts'
import { givenServer } from './given.ts'
import { DOCUMENTS_WANTED, locateDocuments } from './locate/documents.ts'
import { type Found, missing } from './locate/found.ts'
import { ManagedServer } from './managed.ts'
import { awaitPredecessor } from './process/predecessor.ts'
import type { Server, StartOptions } from './server.ts'

function command(found: Found, data: DataDir, port: number): string[] {
  if (found.source === 'path')
    return [found.binary, '--dbpath', data.path, '--port', String(port), '--bind_ip', '127.0.0.1']
  return [
    ...[process.execPath, '--conditions=@tsmicro/source', '--disable-warning=ExperimentalWarning', found.binary],
    ...['--dir', data.path, '--port', String(port), '--durability', data.ephemeral ? 'process' : 'full'],
  ]
}

/**
 * A MongoDB-compatible document server on 127.0.0.1, ready for connections; `url` names no database.
 * @throws MissingServerError when there is none to run; ServerStartError when it does not come up
 * @example
 * await using documents = await startDocuments({ ephemeral: true })
 * const client = new MongoClient(`${documents.url}/blog`)
 */
export async function startDocuments(options: StartOptions = {}): Promise<Server> {
  if (options.url) return givenServer('documents', options.url, 27017, options.timeoutMs)
  const problems: string[] = []
  const found = await locateDocuments(options.sources, problems)
  if (found === undefined) throw missing(DOCUMENTS_WANTED, problems)
  const data = await openDataDir('documents', options)
  const server = new ManagedServer(
    {
      name: 'documents',
      source: found.source,
      launch: async port => {
        await awaitPredecessor('documents', pidFile(data), data.path)
        return {
          name: 'documents',
          command: [...command(found, data, port), ...(options.extraArgs ?? [])],
          deathSignal: 'TERM',
        }
      },
      url: port => `mongodb://127.0.0.1:${port}`,
      ready: /document-server ready on |Waiting for connections/i,
      stopSignal: 'SIGTERM',
      data,
      pidFile: pidFile(data),
    },
    options,
  )
  await server.start()
  return server
}
