import { setTimeout as pause } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import type { GatewayLog } from '../server/log.ts'
import type { Revocations } from './revocations.ts'

/** What the auth service announces, as `{"apiKeyId":"…"}`. */
const SUBJECT = 'apikey.revoked'
const RETRY_MS = 1000

export interface ListenerOptions {
  /** `nats://user:password@host:port`; the user needs to subscribe `apikey.revoked` and nothing else. */
  readonly url: string
  readonly revocations: Revocations
  readonly log: GatewayLog
}

/** Listens to NATS for keys that were revoked, from whenever it can be reached; without it, verdicts live as long as they do. */
export class RevocationListener {
  readonly #options: ListenerOptions
  readonly #closing = new AbortController()
  readonly #servers: { readonly servers: string; readonly user?: string; readonly pass?: string }
  readonly #connecting: Promise<NatsConnection | undefined>

  /** Throws `TypeError` when the address is none; whether anybody is there shows later. */
  constructor(options: ListenerOptions) {
    this.#options = options
    this.#servers = readAddress(options.url)
    this.#connecting = this.#connect()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await (await this.#connecting)?.close()
  }

  /** Until it works: NATS may be started after the gateway. From then on the client connects again by itself. */
  async #connect(): Promise<NatsConnection | undefined> {
    const { log } = this.#options
    let complained = false
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await this.#listen()
        log.info({}, 'listening for revoked API keys')
        return connection
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        if (!complained) log.warn({}, `not listening for revoked API keys, trying again: ${reason}`)
        complained = true
        await pause(RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
    return undefined
  }

  async #listen(): Promise<NatsConnection> {
    // Not before it is needed: most gateways of tests run without NATS.
    const { connect } = await import('@nats-io/transport-node')
    const connection = await connect({
      ...this.#servers,
      name: 'gateway',
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY_MS,
      // Closing waits for it.
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
  // Not the text itself, which may hold a password.
  if (url?.protocol !== 'nats:' || url.host === '')
    throw new TypeError('nats must look like nats://user:password@host:port')
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
