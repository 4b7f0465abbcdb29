import {
  ClosedConnectionError,
  Empty,
  InvalidOperationError,
  InvalidSubjectError,
  type Payload,
  PermissionViolationError,
  RequestError,
  type Status,
} from '@nats-io/nats-core'
import { QueuedIteratorImpl } from '@nats-io/nats-core/internal'
import {
  type Transport,
  type TransportSubscribeOptions,
  type TransportSubscription,
  tokensOf,
  USER_INFO,
} from '../../nats/index.ts'
import type { Broker, Interest, Peer, Session } from './broker.ts'
import { encodePacket, LoopbackMessage, type Packet, type Sending } from './message.ts'

const SERVER = 'loopback'

/** The client's half: behaves like nats.js. */
export class LoopbackConnection implements Transport, Peer {
  readonly info: { readonly max_payload: number }
  readonly session: Session
  readonly #broker: Broker
  readonly #subscriptions = new Set<LoopbackSubscription>()
  readonly #flushing = new Set<(cause: Error) => void>()
  readonly #feeds = new Set<QueuedIteratorImpl<Status>>()
  #lastSid = 0
  #up = true
  #closed = false

  constructor(broker: Broker, session: Session, maxPayload: number) {
    this.#broker = broker
    this.session = session
    this.info = { max_payload: maxPayload }
    broker.join(this)
  }

  publish(subject: string, payload: Payload = Empty, sending: Sending = {}): void {
    this.#check(subject)
    if (sending.reply) this.#check(sending.reply)
    this.respond(subject, payload, sending)
  }

  /** Like `publish`, but without a connection it does nothing: the answer comes too late then. */
  respond = (subject: string, payload: Payload, sending: Sending): void => {
    const packet = encodePacket(subject, payload, sending, this.info.max_payload)
    this.#send(() => {
      if (!this.session.mayPublish(subject)) this.#refused(`Permissions Violation for Publish to "${subject}"`)
      else if (subject === USER_INFO && packet.reply !== '') {
        const answer = encodePacket(packet.reply, this.session.describe(), {}, this.info.max_payload)
        this.#broker.route(this.session, answer)
      } else this.#broker.route(this.session, packet)
    })
  }

  subscribe(subject: string, options: TransportSubscribeOptions): LoopbackSubscription {
    this.#check(subject)
    this.#lastSid += 1
    const subscription = new LoopbackSubscription(this, this.#lastSid, subject, options)
    this.#subscriptions.add(subscription)
    this.#announce(subscription)
    return subscription
  }

  /** Stops the delivery to a subscription, once the broker has handled that. */
  withdraw({ interest }: LoopbackSubscription): void {
    this.#send(() => this.#broker.unsubscribe(interest))
  }

  forget(subscription: LoopbackSubscription): void {
    this.#subscriptions.delete(subscription)
  }

  flush(): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedConnectionError())
    if (!this.#up) return Promise.reject(new RequestError('connection disconnected'))
    return new Promise((resolve, reject) => {
      this.#flushing.add(reject)
      this.#send(() => {
        this.#flushing.delete(reject)
        resolve()
      })
    })
  }

  status(): AsyncIterable<Status> {
    const feed = new QueuedIteratorImpl<Status>()
    this.#feeds.add(feed)
    if (this.#closed) this.#endFeeds()
    return feed
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#up = false
    for (const subscription of [...this.#subscriptions]) subscription.close()
    this.#failFlushes()
    this.#endFeeds()
    this.#broker.leave(this, this.session)
  }

  isClosed(): boolean {
    return this.#closed
  }

  lost(): void {
    this.#up = false
    this.#failFlushes()
    this.#emit({ type: 'disconnect', server: SERVER })
  }

  back(): void {
    this.#up = true
    for (const subscription of this.#subscriptions) if (!subscription.draining) this.#announce(subscription)
    this.#emit({ type: 'reconnect', server: SERVER })
  }

  #announce(subscription: LoopbackSubscription): void {
    const { subject, queue, interest } = subscription
    this.#send(() => {
      if (this.session.maySubscribe(subject)) return this.#broker.subscribe(interest)
      const group = queue === undefined ? '' : ` using queue "${queue}"`
      this.#refused(`Permissions Violation for Subscription to "${subject}"${group}`, subscription)
    })
  }

  #refused(text: string, subscription?: LoopbackSubscription): void {
    const error = PermissionViolationError.parse(text) ?? new Error(text)
    subscription?.refused(error)
    this.#emit({ type: 'error', error })
  }

  #send(work: () => void): void {
    if (this.#up) this.#broker.send(work)
  }

  #check(subject: string): void {
    if (this.#closed) throw new ClosedConnectionError()
    if (subject === '' || /[ \n\r\t]/.test(subject)) throw new InvalidSubjectError(subject)
  }

  #failFlushes(): void {
    for (const fail of this.#flushing) fail(new RequestError('connection disconnected'))
    this.#flushing.clear()
  }

  #endFeeds(): void {
    this.#emit({ type: 'close' })
    for (const feed of this.#feeds) feed.stop()
    this.#feeds.clear()
  }

  #emit(status: Status): void {
    for (const feed of this.#feeds) feed.push(status)
  }
}

/** The client's half of a subscription. */
class LoopbackSubscription implements TransportSubscription {
  readonly subject: string
  readonly queue: string | undefined
  readonly interest: Interest
  readonly #connection: LoopbackConnection
  readonly #callback: TransportSubscribeOptions['callback']
  readonly #sid: number
  #open = true
  #drained: Promise<void> | undefined

  constructor(connection: LoopbackConnection, sid: number, subject: string, options: TransportSubscribeOptions) {
    this.subject = subject
    this.queue = options.queue
    this.#connection = connection
    this.#callback = options.callback
    this.#sid = sid
    const { session } = connection
    const deliver = (packet: Packet) => this.#take(null, packet)
    this.interest = { session, tokens: tokensOf(subject), queue: options.queue, deliver }
  }

  get draining(): boolean {
    return this.#drained !== undefined
  }

  unsubscribe(): void {
    this.#connection.withdraw(this)
    this.close()
  }

  async drain(): Promise<void> {
    if (this.#connection.isClosed()) throw new ClosedConnectionError()
    if (!this.#open) throw new InvalidOperationError('subscription is already closed')
    this.#drained ??= this.#drain()
    await this.#drained
  }

  /** Called when the broker does not permit it. */
  refused(error: Error): void {
    this.#take(error, { subject: '', reply: '', headers: Empty, data: Empty })
    this.close()
  }

  close(): void {
    this.#open = false
    this.#connection.forget(this)
  }

  async #drain(): Promise<void> {
    this.#connection.withdraw(this)
    // If the connection is lost meanwhile, nothing more will come either.
    await this.#connection.flush().catch(() => {})
    this.close()
  }

  #take(error: Error | null, packet: Packet): void {
    if (!this.#open) return
    try {
      this.#callback(error, new LoopbackMessage(packet, this.#sid, this.#connection.respond))
    } catch (thrown) {
      // An uncaught exception: it must neither be swallowed nor keep the message from the other subscribers.
      queueMicrotask(() => {
        throw thrown
      })
    }
  }
}
