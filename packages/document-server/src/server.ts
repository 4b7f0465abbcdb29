import { createServer, type Server, type Socket } from 'node:net'
import { isAbsolute, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Credentials } from './auth/credentials.ts'
import { checkPassword, keptPassword } from './auth/password.ts'
import { iterations } from './auth/scram.ts'
import type { Engine } from './commands/command.ts'
import { Cursors } from './cursors.ts'
import { Catalog } from './storage/catalog.ts'
import { Database, DirectoryInUseError, type Durability } from './storage/database.ts'
import { Sweeper } from './storage/sweeper.ts'
import { type Connection, serveConnection } from './wire/connection.ts'

export interface DocumentServerOptions {
  /** Directory of the stored data; made when missing. One server at a time can use it. */
  readonly dir: string
  /** Address to listen on. Nothing is encrypted: keep it a loopback address. Default `127.0.0.1`. */
  readonly host?: string
  /** The one user there is, who may do everything in every database. Default `app`. */
  readonly user?: string
  /** Its password, 1 to 256 printable ASCII characters. Default: a random one, kept in `DIR/password` with mode 600. */
  readonly password?: string
  /** TCP port; 0 (the default) takes a free one. */
  readonly port?: number
  /** What an acknowledged write survives: `full` (default) power loss, `process` the end of the process. */
  readonly durability?: Durability
  /** Milliseconds between two sweeps of TTL indexes. Default 60 000, as in MongoDB. */
  readonly expirySweepMs?: number
  /** Milliseconds after which an unused cursor is closed. Default 600 000, as in MongoDB. */
  readonly cursorIdleMs?: number
}

export interface DocumentServer extends AsyncDisposable {
  /** `mongodb://user:password@host:port`, for the official driver; a database can be appended. Not for logs. */
  readonly url: string
  /** The URL without user and password, for logs. */
  readonly address: string
  readonly user: string
  readonly port: number
  /** Finishes what was accepted, ends the connections and gives the directory free. */
  close(): Promise<void>
}

/**
 * Starts an embedded document server that speaks MongoDB's wire protocol.
 *
 * @throws Error with one clear line when the directory is in use by another server or the port is taken
 * @example
 * await using server = await startDocumentServer({ dir: '/tmp/documents' })
 * const client = await new MongoClient(server.url).connect()
 */
export async function startDocumentServer(options: DocumentServerOptions): Promise<DocumentServer> {
  const { host = '127.0.0.1', port = 0, durability = 'full', expirySweepMs = 60_000, cursorIdleMs = 600_000 } = options
  const dir = isAbsolute(options.dir) ? options.dir : resolve(options.dir)
  const { user = 'app', password } = options
  if (password !== undefined) checkPassword(password, 'the password given')
  if (!/^[\w.-]{1,64}$/.test(user)) throw new Error(`"${user}" is no user name: use letters, digits, dots and dashes`)
  const database = await openDatabase(dir, durability)
  const connections = new Map<Socket, Connection>()
  let accepted = 0
  let engine: Engine
  let secret: string
  let server: Server
  try {
    secret = password ?? keptPassword(join(dir, 'password'))
    const credentials = await Credentials.open(
      database,
      user,
      secret,
      password === undefined ? iterations.random : iterations.chosen,
    )
    engine = { database, catalog: new Catalog(database), cursors: new Cursors(cursorIdleMs), credentials }
    server = createServer(socket => {
      socket.once('close', () => connections.delete(socket))
      connections.set(socket, serveConnection(socket, ++accepted, engine))
    })
    await listen(server, host, port)
  } catch (error) {
    database.close()
    throw error
  }
  const sweeper = new Sweeper(engine)
  const timers = [
    setInterval(() => sweeper.sweep(), expirySweepMs),
    setInterval(() => engine.cursors.closeIdle(), Math.min(cursorIdleMs, 10_000)),
  ]
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= shutDown({ server, connections, database, timers, sweeper })
    return closing
  }
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  const place = `${host.includes(':') ? `[${host}]` : host}:${bound}`
  return {
    url: `mongodb://${user}:${encodeURIComponent(secret)}@${place}`,
    address: `mongodb://${place}`,
    user,
    port: bound,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A predecessor that is just ending gets two seconds to give the directory free. */
async function openDatabase(dir: string, durability: Durability): Promise<Database> {
  for (const end = Date.now() + 2000; ; await sleep(25)) {
    try {
      return Database.open(dir, durability)
    } catch (error) {
      if (!(error instanceof DirectoryInUseError) || Date.now() >= end) throw error
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${port} on ${host} is taken by another program: stop it or choose another port`)
          : new Error(`cannot listen on ${host}:${port}: ${error.message}`),
      ),
    )
    server.listen(port, host, () => {
      // Such as too many open files: it goes on with the connections that it has.
      server.on('error', error => process.emitWarning(`a connection could not be accepted: ${error.message}`))
      done()
    })
  })
}

/** Milliseconds that a client has to read the last replies, and that commands have to come to their end. */
const closeGraceMs = 500

async function shutDown(parts: {
  readonly server: Server
  readonly connections: ReadonlyMap<Socket, Connection>
  readonly database: Database
  readonly timers: readonly NodeJS.Timeout[]
  readonly sweeper: Sweeper
}): Promise<void> {
  for (const timer of parts.timers) clearInterval(timer)
  const closed = new Promise<void>(done => parts.server.close(() => done()))
  parts.database.commit()
  const ended = [...parts.connections.values()].map(connection => connection.finish(closeGraceMs))
  await Promise.all([...ended, parts.sweeper.stop()])
  await closed
  parts.database.close()
}
