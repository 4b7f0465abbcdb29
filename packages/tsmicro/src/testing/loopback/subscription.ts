import { ClosedConnectionError, InvalidOperationError } from '@nats-io/nats-core'
import type { TransportSubscribeOptions, TransportSubscription } from '../../nats/index.ts'
import { tokensOf } from '../../nats/index.ts'
import type { Interest } from './broker.ts'
import { LoopbackMessage, type Respond } from './message.ts'
import type { Packet } from './packet.ts'
import type { Session } from './session.ts'

/** What a subscription needs of its connection. */
export interface SubscriptionOwner {
  readonly session: Session
  readonly respond: Respond
  /** The broker gives it no more messages, once it has looked at that. */
  withdraw(subscription: LoopbackSubscription): void
  forget(subscription: LoopbackSubscription): void
  flush(): Promise<void>
  isClosed(): boolean
}

/** The client's half of a subscription. */
export class LoopbackSubscription implements TransportSubscription {
  readonly subject: string
  readonly queue: string | undefined
  readonly interest: Interest
  readonly #owner: SubscriptionOwner
  readonly #callback: TransportSubscribeOptions['callback']
  readonly #sid: number
  #open = true
  #drained: Promise<void> | undefined

  constructor(owner: SubscriptionOwner, sid: number, subject: string, options: TransportSubscribeOptions) {
    this.subject = subject
    this.queue = options.queue
    this.#owner = owner
    this.#callback = options.callback
    this.#sid = sid
    const { session } = owner
    const deliver = (packet: Packet) => this.#take(null, packet)
    this.interest = { session, tokens: tokensOf(subject), queue: options.queue, deliver }
  }

  get draining(): boolean {
    return this.#drained !== undefined
  }

  unsubscribe(): void {
    this.#owner.withdraw(this)
    this.close()
  }

  async drain(): Promise<void> {
    if (this.#owner.isClosed()) throw new ClosedConnectionError()
    if (!this.#open) throw new InvalidOperationError('subscription is already closed')
    this.#drained ??= this.#drain()
    await this.#drained
  }

  /** The broker does not allow it. */
  refused(error: Error): void {
    this.#take(error, { subject: '', reply: '', headers: new Uint8Array(), data: new Uint8Array() })
    this.close()
  }

  close(): void {
    this.#open = false
    this.#owner.forget(this)
  }

  async #drain(): Promise<void> {
    this.#owner.withdraw(this)
    // Where the connection is lost meanwhile, nothing more will come either.
    await this.#owner.flush().catch(() => {})
    this.close()
  }

  #take(error: Error | null, packet: Packet): void {
    if (!this.#open) return
    try {
      this.#callback(error, new LoopbackMessage(packet, this.#sid, this.#owner.respond))
    } catch (thrown) {
      // As an uncaught exception: it must neither be swallowed nor keep the message from the other subscribers.
      queueMicrotask(() => {
        throw thrown
      })
    }
  }
}
