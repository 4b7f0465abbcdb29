import {
  createInbox,
  InvalidArgumentError,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NoRespondersError,
  type Subscription,
} from '@nats-io/nats-core'
import { DEADLINE_EXCEEDED, PAYLOAD_TOO_LARGE, SERVICE_UNAVAILABLE } from '../errors/index.ts'

interface Waiting {
  readonly subject: string
  readonly resolve: (msg: Msg) => void
  readonly reject: (error: Error) => void
}

export interface InboxRequest {
  readonly subject: string
  readonly body: string
  readonly headers: MsgHdrs
  readonly timeoutMs: number
  /** Lets the caller give up: it is handed a function to do so with, and returns one that ends the watch. */
  readonly watch?: (giveUp: (reason: unknown) => void) => () => void
}

/**
 * The reply subject of all requests of one connection. Our own rather than nats.js's `request()`: that one captures stack
 * traces and races three promises per call (half the calls a second), and leaves the calls in flight waiting for their
 * time-outs when the connection is lost.
 */
export class Inbox {
  readonly #nats: NatsConnection
  readonly #prefix: string
  readonly #subscription: Subscription
  readonly #waiting = new Map<string, Waiting>()
  #last = 0

  /** @param prefix as permitted by the server's configuration for this user. Default `_INBOX` */
  constructor(nats: NatsConnection, prefix?: string) {
    this.#nats = nats
    // The random part cannot be guessed, so nobody else can answer; a number is enough to tell the calls apart.
    this.#prefix = createInbox(prefix)
    this.#subscription = nats.subscribe(`${this.#prefix}.*`, {
      callback: (error, msg) => (error ? this.failAll(error) : this.#receive(msg)),
    })
  }

  /** Calls that wait for their reply. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * @throws {SERVICE_UNAVAILABLE} when nobody listens on the subject or the connection is lost
   * @throws {DEADLINE_EXCEEDED} when no reply comes in time
   */
  request({ subject, body, headers, timeoutMs, watch }: InboxRequest): Promise<Msg> {
    this.#last += 1
    const token = this.#last.toString(36)
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        unwatch?.()
        this.#waiting.delete(token)
      }
      const fail = (error: unknown) => {
        end()
        reject(error)
      }
      const timer = setTimeout(() => fail(new DEADLINE_EXCEEDED()), timeoutMs)
      const unwatch = watch?.(fail)
      this.#waiting.set(token, {
        subject,
        resolve: msg => {
          end()
          resolve(msg)
        },
        reject: fail,
      })
      try {
        this.#nats.publish(subject, body, { reply: `${this.#prefix}.${token}`, headers })
      } catch (error) {
        fail(unsent(error))
      }
    })
  }

  /** The connection is lost: no reply to what was sent can come any more. */
  failAll(cause: Error): void {
    for (const { reject } of [...this.#waiting.values()]) reject(new SERVICE_UNAVAILABLE(undefined, { cause }))
  }

  /** The server refused to take messages to a subject. */
  failSubject(subject: string, cause: Error): void {
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.subject === subject) waiting.reject(new SERVICE_UNAVAILABLE(undefined, { cause }))
    }
  }

  close(): void {
    this.failAll(new Error('the connection was closed'))
    if (!this.#nats.isClosed()) this.#subscription.unsubscribe()
  }

  #receive(msg: Msg): void {
    const waiting = this.#waiting.get(msg.subject.slice(this.#prefix.length + 1))
    if (!waiting) return
    if (msg.data.length === 0 && msg.headers?.code === 503) {
      const cause = new NoRespondersError(waiting.subject)
      waiting.reject(new SERVICE_UNAVAILABLE(undefined, { cause }))
    } else waiting.resolve(msg)
  }
}

function unsent(cause: unknown): Error {
  if (cause instanceof InvalidArgumentError && cause.message.includes('max_payload'))
    return new PAYLOAD_TOO_LARGE(undefined, { cause })
  return new SERVICE_UNAVAILABLE(undefined, { cause })
}
