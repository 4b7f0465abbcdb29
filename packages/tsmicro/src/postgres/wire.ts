import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'

/** pg's connection, with what its types do not tell. */
export interface Wire extends EventEmitter {
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

export const Connection = pg.Connection as unknown as new (config: object) => Wire

/**
 * A connection with TLS where the server has it, and without where it has not (`sslmode=prefer`), which pg does not know. Like
 * libpq it goes on over the same socket. Emits `sslconnect` or `connect`, upon which pg's client introduces itself.
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
      // as pg does: they belong to the end
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
    stream.once('data', answer => this.#goOn(answer.toString('latin1'), host, failed))
    if (typeof port === 'number') stream.connect(port, host ?? 'localhost')
    else stream.connect(port)
  }

  #goOn(answer: string, host: string | undefined, failed: (error: Error) => void): void {
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
