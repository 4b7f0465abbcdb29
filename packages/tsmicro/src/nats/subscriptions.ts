import { type Msg, PermissionViolationError } from '@nats-io/nats-core'
import type { Log } from '../call/index.ts'
import type { Transport, TransportSubscription } from './transport.ts'

/** Milliseconds after which what the server refused is asked for again, as its configuration can be reloaded; doubled each time. */
const FIRST_AGAIN_MS = 1000
const LONGEST_AGAIN_MS = 30_000

/** What is heard, and what becomes of it. */
export interface Wanted {
  readonly subject: string
  /** Each message reaches one member of a queue group. */
  readonly queue?: string
  /** Nothing depends on it: when the server refuses it, so be it. */
  readonly optional?: boolean
  readonly take: (msg: Msg) => void
}

export interface SubscriptionsOptions {
  readonly log?: Log | undefined
  /** Called when the connection is lost: nothing more is heard until it is back. */
  readonly onLost?: () => void
  /** Called when the server refuses a subject. */
  readonly onRefused?: () => void
}

/**
 * Subscriptions of one connection that are to hold for as long as it does. One that the server refuses, at once or when its
 * configuration is reloaded, is asked for again until it is allowed.
 */
export class Subscriptions {
  readonly #nats: Transport
  readonly #held = new Map<Wanted, TransportSubscription>()
  readonly #refused = new Set<Wanted>()
  /** Of the refused ones those that have been asked for again, and not been refused since. */
  readonly #hoped = new Set<Wanted>()
  readonly #options: SubscriptionsOptions
  #lost = false
  #ended = false
  #againMs = FIRST_AGAIN_MS
  #again: NodeJS.Timeout | undefined

  constructor(nats: Transport, options: SubscriptionsOptions = {}) {
    this.#nats = nats
    this.#options = options
    void this.#watch()
  }

  add(wanted: Wanted): void {
    const { subject, queue } = wanted
    const options = queue === undefined ? {} : { queue }
    const subscription = this.#nats.subscribe(subject, {
      ...options,
      callback: (error, msg) => (error ? this.#refuse(wanted) : this.#take(wanted, msg)),
    })
    this.#held.set(wanted, subscription)
  }

  /** Subjects that the server does not let us hear. */
  get refused(): readonly string[] {
    return [...this.#refused].map(({ subject }) => subject)
  }

  /** The server lets us hear all of it, as far as it has answered. */
  get allowed(): boolean {
    return this.#refused.size === 0
  }

  /** There is no connection. */
  get lost(): boolean {
    return this.#lost
  }

  /** Takes no more messages; resolves once those already on their way are delivered. Waits for no connection that is lost. */
  async drain(): Promise<void> {
    const subscriptions = this.#end()
    // A lost one has nothing to deliver, and draining would wait for its next attempt to come back.
    if (this.#lost) for (const subscription of subscriptions) subscription.unsubscribe()
    else await Promise.allSettled(subscriptions.map(subscription => subscription.drain()))
  }

  unsubscribe(): void {
    const subscriptions = this.#end()
    if (!this.#nats.isClosed()) for (const subscription of subscriptions) subscription.unsubscribe()
  }

  #end(): readonly TransportSubscription[] {
    this.#ended = true
    clearTimeout(this.#again)
    const subscriptions = [...this.#held.values()]
    this.#held.clear()
    return subscriptions
  }

  /** What throws here would end the process: it runs where bytes come from the socket. */
  #take({ subject, take }: Wanted, msg: Msg): void {
    try {
      take(msg)
    } catch (err) {
      try {
        this.#options.log?.error({ err, subject }, 'a message could not be taken')
      } catch {
        // Nor what a log throws.
      }
    }
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'reconnect') this.#lost = false
      else if (status.type === 'disconnect') this.#lose()
      else if (status.type === 'error') this.#heardError(status.error)
    }
    this.#lose()
  }

  /** When a reload takes a permission away, nats.js finds the subscriptions without a queue only: the server names none. */
  #heardError(error: Error): void {
    if (!(error instanceof PermissionViolationError) || error.operation !== 'subscription') return
    for (const wanted of this.#held.keys()) if (wanted.subject === error.subject) this.#refuse(wanted)
  }

  #lose(): void {
    this.#lost = true
    this.#options.onLost?.()
  }

  #refuse(wanted: Wanted): void {
    if (this.#ended || wanted.optional) return
    this.#refused.add(wanted)
    this.#hoped.delete(wanted)
    this.#options.onRefused?.()
    this.#again ??= setTimeout(() => void this.#retry(), this.#againMs).unref()
  }

  async #retry(): Promise<void> {
    try {
      for (const wanted of [...this.#refused]) {
        // Of what a reload took away nats.js may still think that it is there.
        this.#held.get(wanted)?.unsubscribe()
        this.#hoped.add(wanted)
        this.add(wanted)
      }
      await this.#nats.flush()
      for (const wanted of this.#hoped) this.#refused.delete(wanted)
    } catch {
      // Not connected, or closed.
    }
    this.#hoped.clear()
    this.#again = undefined
    this.#againMs = this.#refused.size > 0 ? Math.min(this.#againMs * 2, LONGEST_AGAIN_MS) : FIRST_AGAIN_MS
    if (this.#refused.size > 0 && !this.#ended && !this.#nats.isClosed())
      this.#again = setTimeout(() => void this.#retry(), this.#againMs).unref()
  }
}
