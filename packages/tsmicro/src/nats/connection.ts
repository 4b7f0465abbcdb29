import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node'
import type { Log } from '../call/index.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'

export interface NatsOptions {
  /** `nats://[user:password@]host:port`, several separated by commas. */
  readonly url: string
  /** Shown in the server's list of connections; the service's name. */
  readonly name: string
  readonly log?: Log
  /** Milliseconds between attempts to reconnect. Default 250. */
  readonly reconnectWaitMs?: number
}

const CHECK_TIMEOUT_MS = 1000

/**
 * One connection, shared by everything in a service. Reconnects for ever; while it is down, `connected` is false and
 * callers fail at once instead of queueing in memory.
 */
export class NatsLink {
  readonly name = 'nats'
  readonly #options: NatsOptions
  #connection: NatsConnection | undefined
  #up = false

  constructor(options: NatsOptions) {
    this.#options = options
  }

  /** @throws {SERVICE_UNAVAILABLE} when no server answers */
  async connect(): Promise<void> {
    if (this.#connection) return
    try {
      this.#connection = await connect(connectionOptions(this.#options))
    } catch (cause) {
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    }
    this.#up = true
    void this.#watch(this.#connection)
  }

  get connected(): boolean {
    return this.#up
  }

  /** @throws {SERVICE_UNAVAILABLE} while the connection is down */
  use(): NatsConnection {
    if (!this.#connection || !this.#up) throw new SERVICE_UNAVAILABLE()
    return this.#connection
  }

  /** A round trip to the server. @throws {SERVICE_UNAVAILABLE} when it does not come back within a second */
  async check(): Promise<void> {
    const connection = this.use()
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SERVICE_UNAVAILABLE()), CHECK_TIMEOUT_MS)
    })
    await Promise.race([connection.flush(), timeout]).finally(() => clearTimeout(timer))
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    this.#up = false
    // Draining waits for the server; a lost one must not hold up our own end.
    if (connection && !connection.isClosed()) await connection.close()
  }

  async #watch(connection: NatsConnection): Promise<void> {
    const { log } = this.#options
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#up = false
        log?.warn({}, 'NATS connection lost')
      } else if (status.type === 'reconnect') {
        this.#up = true
        log?.info({}, 'NATS connection is back')
      } else if (status.type === 'error') log?.error({ err: status.error }, 'NATS server reported an error')
      else if (status.type === 'slowConsumer') log?.warn({}, 'NATS messages arrive faster than they are handled')
    }
    this.#up = false
  }
}

function connectionOptions({ url, name, reconnectWaitMs = 250 }: NatsOptions): ConnectionOptions {
  const parsed = url.split(',').map(each => new URL(each.includes('://') ? each : `nats://${each}`))
  const [{ username, password } = { username: '', password: '' }] = parsed
  return {
    servers: parsed.map(({ host }) => host),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectWaitMs,
    timeout: 5000,
    // A connection that hangs without being closed is noticed after two missed pings.
    pingInterval: 10_000,
    maxPingOut: 2,
    ...(username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {}),
  }
}
