import { setTimeout as pause } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import type { GatewayLog } from '../../server/log.ts'

/** Longer than a verdict can be remembered (an hour) plus the longest verification. */
const KEPT_MS = 3_700_000

/**
 * The ids of revoked API keys. Revocation is final: a yes for such a key no longer counts, whether it was remembered, is on its way
 * or comes from a stale replica. Ids are kept until no yes for them can be remembered.
 */
export class Revocations {
  /** When each key was revoked, oldest first. */
  readonly #ids = new Map<string, number>()
  readonly #now: () => number

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  add(id: string): void {
    this.#forgetOld()
    this.#ids.delete(id)
    this.#ids.set(id, this.#now())
  }

  has(id: string): boolean {
    return this.#ids.size > 0 && this.#ids.has(id)
  }

  get size(): number {
    return this.#ids.size
  }

  #forgetOld(): void {
    const oldest = this.#now() - KEPT_MS
    for (const [id, at] of this.#ids) {
      if (at > oldest) return
      this.#ids.delete(id)
    }
  }
}

/** The event of the auth service, with the data `{"apiKeyId":"…"}`. */
const SUBJECT = 'apikey.revoked'
const RETRY_MS = 1000

export interface ListenerOptions {
  /** `nats://user:password@host:port`. The user needs permission to subscribe to `apikey.revoked`, and nothing else. */
  readonly url: string
  readonly revocations: Revocations
  readonly log: GatewayLog
}

/** Listens for revoked keys on NATS, as soon as it can be reached. Until then, a revoked key passes until its verdict expires. */
export class RevocationListener {
  readonly #options: ListenerOptions
  readonly #closing = new AbortController()
  readonly #servers: { readonly servers: string; readonly user?: string; readonly pass?: string }
  readonly #connecting: Promise<NatsConnection | undefined>

  /** Throws a `TypeError` if the address is malformed. Connects in the background. */
  constructor(options: ListenerOptions) {
    this.#options = options
    this.#servers = readAddress(options.url)
    this.#connecting = this.#connect()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await (await this.#connecting)?.close()
  }

  /** Tries until it succeeds, because NATS may start after the gateway. From then on the client reconnects by itself. */
  async #connect(): Promise<NatsConnection | undefined> {
    const { log } = this.#options
    let warned = false
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await this.#listen()
        log.info({}, 'listening for revoked API keys')
        return connection
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        if (!warned) log.warn({}, `not listening for revoked API keys, trying again: ${reason}`)
        warned = true
        await pause(RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
    return undefined
  }

  async #listen(): Promise<NatsConnection> {
    // Imported only when needed: in tests, most gateways run without NATS.
    const { connect } = await import('@nats-io/transport-node')
    const connection = await connect({
      ...this.#servers,
      name: 'gateway',
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY_MS,
      // Closing the gateway waits for this attempt to end.
      timeout: 2000,
      ignoreAuthErrorAbort: true,
    })
    connection.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (error) this.#options.log.error({}, `not listening for revoked API keys: ${error.message}`)
        else this.#take(message.string())
      },
    })
    await connection.flush()
    return connection
  }

  #take(text: string): void {
    const id = idIn(text)
    if (id === undefined) {
      this.#options.log.warn({}, `an event ${SUBJECT} without an apiKeyId was ignored`)
      return
    }
    this.#options.revocations.add(id)
    this.#options.log.info({ apiKeyId: id }, 'API key revoked')
  }
}

function readAddress(text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // The message leaves the text out, because it may contain a password.
  if (url?.protocol !== 'nats:' || url.host === '' || url.search !== '')
    throw new TypeError(
      'nats must look like nats://user:password@host:port: this gateway takes no other credentials, and no TLS',
    )
  const { host: servers, username, password } = url
  if (username === '') return { servers }
  return { servers, user: decodeURIComponent(username), pass: decodeURIComponent(password) }
}

function idIn(text: string): string | undefined {
  try {
    const { apiKeyId } = JSON.parse(text) as { readonly apiKeyId?: unknown }
    return typeof apiKeyId === 'string' && apiKeyId !== '' ? apiKeyId : undefined
  } catch {
    return undefined
  }
}
