import { MONGO_GREETING } from './answers.ts'
import type { DataDir } from './data-dir.ts'
import { DOCUMENTS_WANTED, locateDocuments } from './locate/documents.ts'
import type { Found } from './locate/found.ts'
import { keptPassword } from './private-file.ts'
import type { Server, StartOptions } from './server.ts'
import { type SingleBinary, startSingleBinary } from './single-binary.ts'

function command(found: Found, data: DataDir, port: number): string[] {
  if (found.source === 'path')
    return [found.binary, '--dbpath', data.path, '--port', String(port), '--bind_ip', '127.0.0.1']
  return [
    ...[process.execPath, '--conditions=@tsmicro/source', '--disable-warning=ExperimentalWarning', found.binary],
    ...['--dir', data.path, '--port', String(port), '--durability', data.ephemeral ? 'process' : 'full'],
  ]
}

const DOCUMENTS: SingleBinary = {
  ...{ name: 'documents', scheme: 'mongodb', defaultPort: 27017, wanted: DOCUMENTS_WANTED, locate: locateDocuments },
  command,
  // A mongod of this machine can be given users by its own tools only.
  prepare: async (data, { source }) =>
    source === 'path' ? undefined : { user: 'app', password: await keptPassword(data.path) },
  greeting: MONGO_GREETING,
  ready: /document-server ready on |Waiting for connections/i,
}

/**
 * A MongoDB-compatible document server on 127.0.0.1, ready for connections; `url` has user and password (random, kept with the
 * data in a file of mode 600) and names no database. Its user is found whatever `authSource` is, so a database can be appended.
 * A `mongod` from PATH is started without access control.
 * @throws MissingServerError when there is none to run; ServerStartError when it does not come up
 * @example
 * await using documents = await startDocuments({ ephemeral: true })
 * const client = new MongoClient(`${documents.url}/blog`)
 */
export function startDocuments(options: StartOptions = {}): Promise<Server> {
  return startSingleBinary(DOCUMENTS, options)
}
