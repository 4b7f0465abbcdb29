import type { Server, Socket } from 'node:net'
import { isAbsolute, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Credentials, checkPassword, keptPassword } from './auth/credentials.ts'
import { iterations } from './auth/scram.ts'
import type { Engine } from './commands/command.ts'
import { Cursors } from './cursors.ts'
import { Catalog } from './storage/catalog.ts'
import { Database, DirectoryInUseError, type Durability } from './storage/database.ts'
import { Sweeper } from './storage/expiry.ts'
import { type Connection, serveConnection } from './wire/connection.ts'
import { type Listener, openListener, type ServerTls } from './wire/listener.ts'

export interface DocumentServerOptions {
  /** The directory of the stored data, created if missing. Only one server at a time can use it. */
  readonly dir: string
  /** The address to listen on. Keep it a loopback address without `tls`, as nothing is encrypted then. Default `127.0.0.1`. */
  readonly host?: string
  /** The only user, who may do everything in every database. Default `app`. */
  readonly user?: string
  /** The user's password, 1 to 256 printable ASCII characters. Default: a random one, stored in `DIR/password` with mode 600. */
  readonly password?: string
  /** The TCP port. 0 (the default) takes a free one. */
  readonly port?: number
  /** Accept TLS and nothing else. Without it nothing is encrypted. */
  readonly tls?: ServerTls | undefined
  /** What an acknowledged write survives: `full` (default) power loss, `process` the end of the process. */
  readonly durability?: Durability
  /** The time between two sweeps of TTL indexes, in milliseconds. Default 60 000, as in MongoDB. */
  readonly expirySweepMs?: number
  /** The time after which an unused cursor is closed, in milliseconds. Default 600 000, as in MongoDB. */
  readonly cursorIdleMs?: number
}

export interface DocumentServer extends AsyncDisposable {
  /**
   * `mongodb://user:password@host:port` for the official driver; a database can be appended. With TLS it ends with `/?tls=true`. Keep it out
   * of logs.
   */
  readonly url: string
  /** The URL without user and password, for logs. */
  readonly address: string
  readonly user: string
  readonly port: number
  /** Finishes the accepted commands, ends the connections and releases the directory. */
  close(): Promise<void>
}

/**
 * Starts an embedded document server that speaks MongoDB's wire protocol.
 *
 * @throws Error in one clear line if another server uses the directory or the port is taken
 * @example
 * await using server = await startDocumentServer({ dir: '/tmp/documents' })
 * const client = await new MongoClient(server.url).connect()
 */
export async function startDocumentServer(options: DocumentServerOptions): Promise<DocumentServer> {
  const { host = '127.0.0.1', port = 0, durability = 'full', expirySweepMs = 60_000, cursorIdleMs = 600_000 } = options
  const dir = isAbsolute(options.dir) ? options.dir : resolve(options.dir)
  const { user = 'app', password } = options
  if (password !== undefined) checkPassword(password, 'the given password')
  if (!/^[\w.-]{1,64}$/.test(user))
    throw new Error(`"${user}" cannot be the name of a user: use letters, digits, dots and dashes`)
  const database = await openDatabase(dir, durability)
  const connections = new Map<Socket, Connection>()
  let accepted = 0
  let engine: Engine
  let secret: string
  let listener: Listener
  let server: Server
  try {
    listener = openListener(options.tls)
    secret = password ?? keptPassword(join(dir, 'password'))
    const rounds = password === undefined ? iterations.random : iterations.chosen
    const credentials = await Credentials.open(database, user, secret, rounds)
    engine = { database, catalog: new Catalog(database), cursors: new Cursors(cursorIdleMs), credentials }
    server = listener.server
    listener.accept(socket => {
      socket.once('close', () => connections.delete(socket))
      connections.set(socket, serveConnection(socket, ++accepted, engine))
    })
    await listen(server, host, port)
  } catch (error) {
    database.close()
    throw error
  }
  const sweeper = new Sweeper(engine)
  const sweeping = setInterval(() => sweeper.sweep(), expirySweepMs)
  const closingIdle = setInterval(() => engine.cursors.closeIdle(), Math.min(cursorIdleMs, 10_000))
  const shutDown = async (): Promise<void> => {
    clearInterval(sweeping)
    clearInterval(closingIdle)
    const closed = new Promise<void>(done => server.close(() => done()))
    database.commit()
    listener.dropUnready()
    const ended = [...connections.values()].map(connection => connection.finish(closeGraceMs))
    await Promise.all([...ended, sweeper.stop()])
    await closed
    database.close()
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= shutDown()
    return closing
  }
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  const place = `${host.includes(':') ? `[${host}]` : host}:${bound}`
  const query = options.tls ? '/?tls=true' : ''
  return {
    url: `mongodb://${user}:${encodeURIComponent(secret)}@${place}${query}`,
    address: `mongodb://${place}${query}`,
    user,
    port: bound,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Opens the database. A previous server that is just ending gets two seconds to release the directory. */
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
      // For example too many open files: the server goes on with the connections that it has.
      server.on('error', error => process.emitWarning(`a connection could not be accepted: ${error.message}`))
      done()
    })
  })
}

/** How long clients have to read the last replies, and commands to finish, in milliseconds. */
const closeGraceMs = 500
