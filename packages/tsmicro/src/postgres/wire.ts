import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import pg, { type PoolClient } from 'pg'

/** pg's connection, with members that its types do not declare. */
interface Wire extends EventEmitter {
  ssl: unknown
  readonly stream: Socket
  readonly _keepAlive: boolean
  readonly _ending: boolean
  _connecting: boolean
  connect(port: number | string, host?: string): void
  attachListeners(stream: Socket): void
  upgradeToSSL(host: string | undefined, failed: (error: Error) => void): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
}

const Connection = pg.Connection as unknown as new (config: object) => Wire

/**
 * A connection that uses TLS if the server supports it (`sslmode=prefer`), which pg does not know. Like libpq, it stays on the
 * same socket either way. Emits `sslconnect` or `connect`, after which pg's client sends its startup message.
 */
export class PreferTls extends Connection {
  readonly options: ConnectionOptions

  constructor(config: object, options: ConnectionOptions) {
    super(config)
    this.options = options
  }

  override connect(port: number | string, host?: string): void {
    const { stream } = this
    const failed = (error: Error & { code?: string }) => {
      // As in pg: these errors are part of the end.
      if (!(this._ending && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))) this.emit('error', error)
    }
    this._connecting = true
    stream.setNoDelay(true)
    stream.on('error', failed)
    stream.on('close', () => this.emit('end'))
    stream.once('connect', () => {
      stream.setKeepAlive(this._keepAlive)
      this.requestSsl()
    })
    stream.once('data', answer => this.#proceed(answer.toString('latin1'), host, failed))
    if (typeof port === 'number') stream.connect(port, host ?? 'localhost')
    else stream.connect(port)
  }

  #proceed(answer: string, host: string | undefined, failed: (error: Error) => void): void {
    if (answer === 'S') {
      this.ssl = this.options
      this.upgradeToSSL(host, failed)
    } else if (answer === 'N') {
      this.attachListeners(this.stream)
      this.emit('connect')
    } else {
      this.stream.end()
      failed(new Error('There was an error establishing an SSL connection'))
    }
  }
}

/** Members of pg's client that its types do not declare. */
interface Backend {
  readonly host: string
  readonly port: number
  readonly ssl: unknown
  readonly sslNegotiation: string
  readonly processID: number
  readonly secretKey: number
  readonly connection: unknown
}

/**
 * Asks the server over a separate connection to cancel the statement that a connection is running (PostgreSQL manual,
 * "Canceling Requests in Progress"). Unlike `pg_cancel_backend` this needs neither authentication nor a free connection slot,
 * and the key ensures that it hits this session.
 *
 * @returns true once the server has closed that connection, which it does after signalling the session; false if that did not
 *   happen within `limitMs`
 */
export function requestCancel(client: PoolClient, limitMs: number): Promise<boolean> {
  const { host, port, ssl, sslNegotiation, processID, secretKey, connection } = client as unknown as Backend
  const wire =
    connection instanceof PreferTls ? new PreferTls({}, connection.options) : new Connection({ ssl, sslNegotiation })
  return new Promise(resolve => {
    let sent = false
    const end = (done: boolean) => {
      clearTimeout(timer)
      wire.stream.destroy()
      resolve(done)
    }
    const timer = setTimeout(() => end(false), limitMs)
    const send = () => {
      wire.cancel(processID, secretKey)
      sent = true
    }
    wire.on('connect', () => {
      if (!ssl) send()
      else if (sslNegotiation !== 'direct') wire.requestSsl()
    })
    wire.on('sslconnect', send)
    wire.on('end', () => end(sent))
    // The server may reset the connection even though it has read the request.
    wire.on('error', () => end(sent))
    if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`)
    else wire.connect(port, host)
  })
}
