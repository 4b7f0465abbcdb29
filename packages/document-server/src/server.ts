import { createServer, type Server, type Socket } from 'node:net'
import { isAbsolute, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from './commands/command.ts'
import { Cursors } from './cursors.ts'
import { Catalog } from './storage/catalog.ts'
import { Database, DirectoryInUseError, type Durability } from './storage/database.ts'
import { deleteExpired } from './storage/expiry.ts'
import { serveConnection } from './wire/connection.ts'

export interface DocumentServerOptions {
  /** Directory of the stored data; made when missing. One server at a time can use it. */
  readonly dir: string
  /** Address to listen on. There is no access control: keep it a loopback address. Default `127.0.0.1`. */
  readonly host?: string
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
  /** `mongodb://host:port`, for the official driver. */
  readonly url: string
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
  const database = await openDatabase(dir, durability)
  const engine: Engine = { database, catalog: new Catalog(database), cursors: new Cursors(cursorIdleMs) }
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serveConnection(socket, ++connections, engine)
  })
  let connections = 0
  try {
    await listen(server, host, port)
  } catch (error) {
    database.close()
    throw error
  }
  const expiry = setInterval(() => sweep(engine), expirySweepMs)
  const idle = setInterval(() => engine.cursors.closeIdle(), Math.min(cursorIdleMs, 10_000))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= shutDown(server, sockets, database, [expiry, idle])
    return closing
  }
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return {
    url: `mongodb://${host.includes(':') ? `[${host}]` : host}:${bound}`,
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
    server.listen(port, host, () => done())
  })
}

async function shutDown(
  server: Server,
  sockets: Set<Socket>,
  database: Database,
  timers: NodeJS.Timeout[],
): Promise<void> {
  for (const timer of timers) clearInterval(timer)
  const closed = new Promise<void>(done => server.close(() => done()))
  database.commit()
  await Promise.all([...sockets].map(endSocket))
  await closed
  database.close()
}

/** A sweep that fails (a full disk) is tried again next time; clients learn of such a failure by their own writes. */
function sweep({ database, catalog }: Engine): void {
  try {
    deleteExpired(database, catalog)
  } catch (error) {
    process.emitWarning(`expired documents could not be deleted: ${error instanceof Error ? error.message : error}`)
  }
}

/** Waits a moment for the last replies to leave; a client that does not read them must not hold the server up. */
function endSocket(socket: Socket): Promise<void> {
  return new Promise(done => {
    const timer = setTimeout(() => socket.destroy(), 500)
    socket.once('close', () => {
      clearTimeout(timer)
      done()
    })
    socket.removeAllListeners('data')
    socket.end(() => socket.destroy())
  })
}
