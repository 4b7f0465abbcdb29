import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MONGO_GREETING } from './answers.ts'
import { type DataDir, keptSecret } from './data-dir.ts'
import { InfraError } from './errors.ts'
import { type Finder, type Found, locator, type Program } from './locate.ts'
import { NODE_FLAGS } from './process/child.ts'
import type { SecureStartOptions, Server, ServerTls } from './server.ts'
import { type SingleBinary, startSingleBinary } from './single-binary.ts'

/** The workspace's own document server, a program that this Node runs. */
const embedded: Finder = async problems => {
  const binary = fileURLToPath(import.meta.resolve('@tsmicro/document-server/main'))
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (existsSync(binary)) return { source: 'embedded', binary, version: [major, minor] }
  problems.push(`${binary} is missing`)
  return undefined
}

export const DOCUMENTS_PROGRAM: Program = {
  title: 'A MongoDB-compatible server',
  binary: 'mongod',
  minimum: [6, 0],
  variable: 'MONGODB_URL',
  hint: 'install MongoDB (https://www.mongodb.com/try/download/community)',
  embedded,
}

/** Finds the document server to run: the workspace's own, else mongod 6 or later on PATH. Returns undefined if there is none. */
export const locateDocuments = locator(DOCUMENTS_PROGRAM)

function command(found: Found, data: DataDir, port: number, tls: ServerTls | undefined): string[] {
  if (tls && found.source === 'path')
    throw new InfraError('a mongod from PATH is not started with TLS: start one yourself, and name it in MONGODB_URL')
  if (found.source === 'path')
    return [found.binary, '--dbpath', data.path, '--port', String(port), '--bind_ip', '127.0.0.1']
  return [
    ...[process.execPath, ...NODE_FLAGS, found.binary],
    ...['--dir', data.path, '--port', String(port), '--durability', data.ephemeral ? 'process' : 'full'],
    ...(tls ? ['--tls-cert', tls.certFile, '--tls-key', tls.keyFile] : []),
    ...(tls?.clientCaFile === undefined ? [] : ['--tls-client-ca', tls.clientCaFile]),
  ]
}

const DOCUMENTS: SingleBinary = {
  ...{ name: 'documents', scheme: 'mongodb', defaultPort: 27017, program: DOCUMENTS_PROGRAM, locate: locateDocuments },
  command,
  tlsQuery: '/?tls=true',
  // Only a mongod's own tools can give it users.
  prepare: (data, { source }) =>
    source === 'path' ? undefined : { user: 'app', password: keptSecret(join(data.path, 'password'), 24) },
  greeting: MONGO_GREETING,
  ready: /document-server ready on |Waiting for connections/i,
}

/**
 * Starts a MongoDB-compatible document server on 127.0.0.1, which accepts connections when the promise resolves. `url` contains
 * user and password, which is random and stored with the data in a file of mode 600, but no database. The user is found with any
 * `authSource`, so a database can be appended. A `mongod` from PATH is started without access control.
 * @throws MissingServerError if there is no program to run; ServerStartError if it does not come up
 * @example
 * await using documents = await startDocuments({ ephemeral: true })
 * const client = new MongoClient(`${documents.url}/blog`)
 */
export function startDocuments(options: SecureStartOptions = {}): Promise<Server> {
  return startSingleBinary(DOCUMENTS, options)
}

/**
 * The URL of one database of a MongoDB server. A URL that already names a database stays as it is. Otherwise `authSource=admin` is
 * added unless the URL names another one: without it, MongoDB would look for the user in the database.
 *
 * @example
 * databaseUrl('mongodb://me:secret@a,b/?replicaSet=r', 'blog') // mongodb://me:secret@a,b/blog?replicaSet=r&authSource=admin
 */
export function databaseUrl(url: string, database: string): string {
  const [, server, named, query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url) ?? []
  if (server === undefined || named) return url
  const options = new Map(query.split('&').flatMap(each => (each === '' ? [] : [[each.split('=')[0] ?? '', each]])))
  if (server.includes('@') && !options.has('authSource')) options.set('authSource', 'authSource=admin')
  return `${server}/${database}${options.size > 0 ? `?${[...options.values()].join('&')}` : ''}`
}
