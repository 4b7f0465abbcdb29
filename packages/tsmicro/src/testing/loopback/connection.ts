import {
  ClosedConnectionError,
  Empty,
  InvalidSubjectError,
  type Payload,
  PermissionViolationError,
  RequestError,
  type Status,
} from '@nats-io/nats-core'
import { type Transport, type TransportSubscribeOptions, USER_INFO } from '../../nats/index.ts'
import type { Broker, Peer } from './broker.ts'
import { encodePacket, type Sending } from './packet.ts'
import type { Session } from './session.ts'
import { StatusFeed } from './status-feed.ts'
import { LoopbackSubscription, type SubscriptionOwner } from './subscription.ts'

const SERVER = 'loopback'

/** The client's half: says and does what nats.js does. */
export class LoopbackConnection implements Transport, Peer, SubscriptionOwner {
  readonly info: { readonly max_payload: number }
  readonly session: Session
  readonly #broker: Broker
  readonly #subscriptions = new Set<LoopbackSubscription>()
  readonly #flushing = new Set<(cause: Error) => void>()
  readonly #feeds = new Set<StatusFeed>()
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

  /** As `publish`, but goes nowhere where there is no connection: an answer comes too late then. */
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
    const feed = new StatusFeed()
    if (this.#closed) feed.end()
    else this.#feeds.add(feed)
    return feed
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#up = false
    for (const subscription of [...this.#subscriptions]) subscription.close()
    this.#failFlushes()
    for (const feed of this.#feeds) feed.end()
    this.#broker.leave(this, this.session)
  }

  isClosed(): boolean {
    return this.#closed
  }

  lost(): void {
    this.#up = false
    this.#failFlushes()
    this.#tell({ type: 'disconnect', server: SERVER })
  }

  back(): void {
    this.#up = true
    for (const subscription of this.#subscriptions) if (!subscription.draining) this.#announce(subscription)
    this.#tell({ type: 'reconnect', server: SERVER })
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
    this.#tell({ type: 'error', error })
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

  #tell(status: Status): void {
    for (const feed of this.#feeds) feed.push(status)
  }
}
