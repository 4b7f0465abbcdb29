import { PermissionViolationError } from '@nats-io/nats-core'
import { inboxPrefixOf } from '../contract/index.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { Canceller } from './client/canceller.ts'
import { Inbox } from './client/inbox.ts'
import { connectOf, type NatsOptions } from './options.ts'
import type { Transport } from './transport.ts'

const CHECK_TIMEOUT_MS = 1000

/** What there is while there is a connection. */
export interface Live {
  readonly connection: Transport
  readonly inbox: Inbox
  readonly canceller: Canceller
}

/**
 * One connection, shared by everything in a service. Reconnects for ever; while it is down, `connected` is false and
 * callers fail at once instead of queueing in memory.
 */
export class NatsLink {
  readonly name = 'nats'
  readonly #options: NatsOptions
  readonly #connectAs: () => Promise<Transport>
  #live: Live | undefined
  #up = false
  #connecting: Promise<void> | undefined

  constructor(options: NatsOptions) {
    this.#options = options
    this.#connectAs = connectOf(options)
  }

  /** @throws {SERVICE_UNAVAILABLE} when no server answers */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  get connected(): boolean {
    return this.#up
  }

  /** Requests of this connection that wait for their reply. */
  get pendingRequests(): number {
    return this.#live?.inbox.size ?? 0
  }

  /** @throws {SERVICE_UNAVAILABLE} while the connection is down */
  use(): Transport {
    return this.live().connection
  }

  /** A round trip to the server. @throws {SERVICE_UNAVAILABLE} when it does not come back within a second */
  async check(): Promise<void> {
    const connection = this.use()
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS)
    })
    try {
      await Promise.race([connection.flush(), timeout])
    } catch (cause) {
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Sends what is still to be sent, as long as the server takes it, and ends. Safe while connecting. */
  async close(): Promise<void> {
    await this.#connecting?.catch(() => {})
    const live = this.#live
    if (!live) return
    // Draining would wait for the server; a lost one must not hold up our own end.
    if (this.#up) await this.check().catch(() => {})
    this.#live = undefined
    this.#up = false
    live.inbox.close()
    if (!live.connection.isClosed()) await live.connection.close()
  }

  /** @throws {SERVICE_UNAVAILABLE} while the connection is down */
  protected live(): Live {
    if (!this.#live || !this.#up) throw new SERVICE_UNAVAILABLE()
    return this.#live
  }

  async #connect(): Promise<void> {
    if (this.#live) return
    try {
      const connection = await this.#connectAs()
      const { name, inboxPrefix: prefix = inboxPrefixOf(name), batching = true } = this.#options
      const inbox = new Inbox(connection, { prefix, batching: batching === true ? {} : batching })
      this.#live = { connection, inbox, canceller: new Canceller(connection) }
    } catch (cause) {
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    }
    this.#up = true
    void this.#watch(this.#live)
  }

  async #watch({ connection, inbox }: Live): Promise<void> {
    const { log } = this.#options
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#up = false
        inbox.failAll(new Error('the connection was lost'))
        log?.warn({}, 'NATS connection lost')
      } else if (status.type === 'reconnect') {
        this.#up = true
        log?.info({}, 'NATS connection is back')
      } else if (status.type === 'error') {
        const { error } = status
        if (error instanceof PermissionViolationError && error.operation === 'publish')
          inbox.failSubject(error.subject, error)
        log?.error({ err: error }, 'NATS server reported an error')
      } else if (status.type === 'slowConsumer') log?.warn({}, 'NATS messages arrive faster than they are handled')
    }
    this.#up = false
    inbox.failAll(new Error('the connection was closed'))
  }
}
