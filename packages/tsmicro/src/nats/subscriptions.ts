import { type Msg, PermissionViolationError } from '@nats-io/nats-core'
import type { Log } from '../call/index.ts'
import { rootMessage } from '../errors/index.ts'
import { follow, type Transport, type TransportSubscription } from './transport.ts'

/** Milliseconds until a refused subscription is tried again, because the server's configuration can be reloaded; doubled each time. */
const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000

/** A subject to subscribe to, and what to do with its messages. */
export interface Wanted {
  readonly subject: string
  /** Each message reaches one member of a queue group. */
  readonly queue?: string
  /** Nothing depends on it: a refusal is ignored. */
  readonly optional?: boolean
  readonly take: (msg: Msg) => void
}

export interface SubscriptionsOptions {
  readonly log?: Log | undefined
  /** Called when the connection is lost or closed: no messages arrive until it is back. */
  readonly onLost?: () => void
  /** Called when the server refuses a subject. */
  readonly onRefused?: () => void
}

/**
 * Subscriptions that last as long as their connection. If the server refuses one, at once or after a reload of its configuration, it is
 * tried again until the server allows it.
 */
export class Subscriptions {
  readonly #nats: Transport
  readonly #held = new Map<Wanted, TransportSubscription>()
  readonly #refused = new Set<Wanted>()
  /** Refused subscriptions that have been tried again and not been refused since. */
  readonly #retried = new Set<Wanted>()
  readonly #options: SubscriptionsOptions
  #lost = false
  #ended = false
  #retryMs = FIRST_RETRY_MS
  #retryTimer: NodeJS.Timeout | undefined

  constructor(nats: Transport, options: SubscriptionsOptions = {}) {
    this.#nats = nats
    this.#options = options
    const lose = () => {
      this.#lost = true
      options.onLost?.()
    }
    void follow(nats, {
      disconnect: lose,
      close: lose,
      reconnect: () => {
        this.#lost = false
      },
      error: ({ error }) => this.#reportError(error),
    })
  }

  add(wanted: Wanted): void {
    const { subject, queue } = wanted
    const subscription = this.#nats.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, msg) => {
        // This runs in the socket's data handler: anything thrown here would end the process.
        try {
          if (error) this.#refuse(wanted)
          else wanted.take(msg)
        } catch (err) {
          this.#report(subject, err)
        }
      },
    })
    this.#held.set(wanted, subscription)
  }

  /** Subjects that the server refuses. */
  get refused(): readonly string[] {
    return [...this.#refused].map(({ subject }) => subject)
  }

  /** Whether the server allows all of them, as far as it has answered. */
  get allowed(): boolean {
    return this.#refused.size === 0
  }

  /** Whether the connection is lost. */
  get lost(): boolean {
    return this.#lost
  }

  /** Stops accepting messages; resolves once those already on their way are delivered. Does not wait for a lost connection. */
  async drain(): Promise<void> {
    const subscriptions = this.#end()
    // A lost connection has nothing to deliver, and draining would wait for the next attempt to reconnect.
    if (this.#lost) for (const subscription of subscriptions) subscription.unsubscribe()
    else await Promise.allSettled(subscriptions.map(subscription => subscription.drain()))
  }

  unsubscribe(): void {
    const subscriptions = this.#end()
    if (!this.#nats.isClosed()) for (const subscription of subscriptions) subscription.unsubscribe()
  }

  #end(): readonly TransportSubscription[] {
    this.#ended = true
    clearTimeout(this.#retryTimer)
    const subscriptions = [...this.#held.values()]
    this.#held.clear()
    return subscriptions
  }

  #report(subject: string, err: unknown): void {
    const { log } = this.#options
    try {
      if (log) log.error({ err, subject }, 'a message could not be handled')
      else process.emitWarning(`a message on ${subject} could not be handled: ${rootMessage(err)}`)
    } catch {
      // The log itself may throw.
    }
  }

  /** When a reload takes a permission away, nats.js only finds subscriptions without a queue: the server does not name the queue. */
  #reportError(error: Error): void {
    if (!(error instanceof PermissionViolationError) || error.operation !== 'subscription') return
    for (const wanted of this.#held.keys()) if (wanted.subject === error.subject) this.#refuse(wanted)
  }

  #refuse(wanted: Wanted): void {
    if (this.#ended || wanted.optional) return
    this.#refused.add(wanted)
    this.#retried.delete(wanted)
    this.#retryTimer ??= setTimeout(() => void this.#retry(), this.#retryMs).unref()
    this.#options.onRefused?.()
  }

  async #retry(): Promise<void> {
    try {
      for (const wanted of [...this.#refused]) {
        // nats.js may still consider it subscribed if a reload has taken it away.
        this.#held.get(wanted)?.unsubscribe()
        this.#retried.add(wanted)
        this.add(wanted)
      }
      await this.#nats.flush()
      for (const wanted of this.#retried) this.#refused.delete(wanted)
    } catch {
      // Not connected, or closed.
    }
    this.#retried.clear()
    this.#retryTimer = undefined
    this.#retryMs = this.#refused.size > 0 ? Math.min(this.#retryMs * 2, LONGEST_RETRY_MS) : FIRST_RETRY_MS
    if (this.#refused.size > 0 && !this.#ended && !this.#nats.isClosed())
      this.#retryTimer = setTimeout(() => void this.#retry(), this.#retryMs).unref()
  }
}
