import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkPassword, readPassword } from './auth/credentials.ts'
import { type DocumentServerOptions, startDocumentServer } from './server.ts'

const help = `document-server: an embedded stand-in for MongoDB, for development and tests

  --dir DIR              where to keep the data (created if missing, accessible to you only)
  --port PORT            TCP port; 0 takes a free one (default 27017)
  --host HOST            address to listen on (default 127.0.0.1; nothing is encrypted without --tls-cert)
  --tls-cert FILE        accept TLS alone, with this certificate (PEM)
  --tls-key FILE         its key
  --tls-client-ca FILE   accept only clients with a certificate of this authority
  --user NAME            the only user, who may do everything (default app)
  --password-file FILE   the user's password, in a file of mode 600 (default DIR/password, created on the first start)
  --durability MODE      what acknowledged writes survive: full = power loss (default), process = the end of the process
  --help                 show this text

  DOCUMENT_SERVER_PASSWORD   the password, instead of a file. There is no such option, as all users can read command lines.

Clients sign in with SCRAM-SHA-256: mongodb://app:PASSWORD@127.0.0.1:27017/database
`

interface Arguments extends DocumentServerOptions {
  /** Where the password comes from, to be shown when the server is ready. */
  readonly origin: string
}

function parse(): Arguments | undefined {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      port: { type: 'string', default: '27017' },
      host: { type: 'string', default: '127.0.0.1' },
      user: { type: 'string', default: 'app' },
      'password-file': { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      'tls-client-ca': { type: 'string' },
      durability: { type: 'string', default: 'full' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { dir, host, user, durability } = values
  if (dir === undefined || dir === '') throw new Error('--dir is missing: say where to keep the data')
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new Error(`--port ${values.port} is not a port: use 0 to 65535`)
  if (durability !== 'full' && durability !== 'process')
    throw new Error(`--durability ${durability} is unknown: use full or process`)
  const tls = tlsOf(values['tls-cert'], values['tls-key'], values['tls-client-ca'])
  return { dir, port, host, user, durability, tls, ...password(values['password-file'], dir) }
}

function tlsOf(certFile: string | undefined, keyFile: string | undefined, clientCaFile: string | undefined) {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile, clientCaFile }
  if (certFile === undefined && keyFile === undefined && clientCaFile === undefined) return undefined
  throw new Error('TLS needs both --tls-cert and --tls-key')
}

function password(file: string | undefined, dir: string): { password?: string; origin: string } {
  if (file !== undefined) return { password: readPassword(file), origin: file }
  const given = process.env.DOCUMENT_SERVER_PASSWORD
  if (!given) return { origin: join(dir, 'password') }
  return { password: checkPassword(given, 'DOCUMENT_SERVER_PASSWORD'), origin: 'DOCUMENT_SERVER_PASSWORD' }
}

async function main(): Promise<void> {
  const options = parse()
  if (!options) {
    process.stdout.write(help)
    return
  }
  // Whoever reads the output may have left: a lost line must not end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const server = await startDocumentServer(options)
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void server.close().then(() => process.exit(0), fail))
  process.stdout.write(
    `document-server ready on ${server.address}: user ${server.user}, password in ${options.origin}\n`,
  )
}

function fail(error: unknown): never {
  process.stderr.write(`document-server: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

main().catch(fail)
