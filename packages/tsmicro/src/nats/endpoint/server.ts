import { randomUUID } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'
import type { Log } from '../../call/index.ts'
import { batchSubject, cancelSubject } from '../../contract/index.ts'
import type { Transport, TransportSubscription } from '../transport.ts'
import { readCallIds } from '../wire/cancel.ts'
import { readBatch } from './batch.ts'
import { announce, QUEUE_GROUP } from './discovery.ts'
import type { Endpoint } from './endpoint.ts'
import type { Cancellable } from './inbound-call.ts'
import { MessageCall } from './message-call.ts'

/** Who this instance is to those who ask `$SRV.INFO`. */
export interface NatsServerOptions {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly log: Log
}

/** Bytes in one message where the server does not say. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024

/** The NATS door of one instance: its endpoints, their subscriptions, and what is being worked on. */
export class NatsServer {
  readonly #options: NatsServerOptions
  readonly #endpoints: Endpoint[] = []
  /** What is worked on, by reply subject. */
  readonly #working = new Map<string, Cancellable>()
  /** Number of calls that are worked on. */
  #active = 0
  #whenIdle: (() => void) | undefined
  #subscriptions: TransportSubscription[] = []
  /** There is no connection: nobody can be answered. */
  #lost = false
  #draining = false

  constructor(options: NatsServerOptions) {
    this.#options = options
  }

  /** Adds an endpoint; before {@link start}. */
  add(endpoint: Endpoint): void {
    this.#endpoints.push(endpoint)
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  /** Subscribes everything. Subscriptions survive reconnects. */
  start(nats: Transport): void {
    const { name, version, description = '' } = this.#options
    const identity = { name, version, description, id: randomUUID().replaceAll('-', ''), started: new Date() }
    const maxPayload = nats.info?.max_payload ?? DEFAULT_MAX_PAYLOAD
    const served = this.#endpoints.flatMap(endpoint => {
      const { subject = '' } = endpoint.procedure
      return [
        this.#subscribe(nats, subject, msg => this.#receive(endpoint, msg), QUEUE_GROUP),
        this.#subscribe(nats, batchSubject(subject), msg => this.#receiveBatch(endpoint, msg, maxPayload), QUEUE_GROUP),
      ]
    })
    const cancels = this.#subscribe(nats, cancelSubject(name), msg => this.#cancel(msg))
    this.#subscriptions = [...served, cancels, ...announce(nats, identity, this.#endpoints)]
    void this.#watch(nats)
  }

  /**
   * Takes no more messages, then waits for those already taken to be answered. Where the connection is lost, or gets lost
   * meanwhile, nobody can be told any more: what has a caller is cancelled instead.
   */
  async drain(): Promise<void> {
    const subscriptions = this.#subscriptions
    this.#subscriptions = []
    this.#draining = true
    // A lost one has nothing to deliver, and draining would wait for its next attempt to come back.
    if (this.#lost) for (const subscription of subscriptions) subscription.unsubscribe()
    else await Promise.allSettled(subscriptions.map(subscription => subscription.drain()))
    if (this.#lost) this.#abandon()
    if (this.#active > 0) {
      await new Promise<void>(resolve => {
        this.#whenIdle = resolve
      })
    }
    // Answers of batches go out at the end of the turn.
    await new Promise(resolve => setImmediate(resolve))
  }

  #subscribe(nats: Transport, subject: string, take: (msg: Msg) => void, queue?: string): TransportSubscription {
    return nats.subscribe(subject, {
      ...(queue ? { queue } : {}),
      callback: (err, msg) => {
        if (err) this.#options.log.error({ err, subject }, 'subscription failed')
        else take(msg)
      },
    })
  }

  #receive(endpoint: Endpoint, msg: Msg): void {
    const call = new MessageCall(msg, endpoint.timeoutMs, this.#options.log)
    if (msg.reply) this.#working.set(msg.reply, call)
    this.#active += 1
    void endpoint.handle(call).then(() => this.#ended(msg.reply))
  }

  #receiveBatch(endpoint: Endpoint, msg: Msg, maxPayload: number): void {
    const batch = readBatch(msg, { maxPayload, timeoutMs: endpoint.timeoutMs, log: this.#options.log })
    let left = batch?.calls.length ?? 0
    if (!batch || left === 0) return
    if (msg.reply) this.#working.set(msg.reply, batch)
    this.#active += left
    const ended = () => this.#ended(--left === 0 ? msg.reply : undefined)
    for (const call of batch.calls) void endpoint.handle(call).then(ended)
  }

  /** @param reply of a message with which all is done */
  #ended(reply: string | undefined): void {
    if (reply) this.#working.delete(reply)
    this.#active -= 1
    if (this.#active === 0) this.#whenIdle?.()
  }

  /** A connection that is lost may come back, in a cluster even to the same callers; for one that is to end this comes too late. */
  async #watch(nats: Transport): Promise<void> {
    for await (const { type } of nats.status()) {
      if (type === 'reconnect') this.#lost = false
      else if (type === 'disconnect') this.#lose()
    }
    this.#lose()
  }

  #lose(): void {
    this.#lost = true
    if (this.#draining) this.#abandon()
  }

  #abandon(): void {
    for (const each of this.#working.values()) each.cancelAll()
  }

  #cancel(msg: Msg): void {
    for (const { reply, token } of readCallIds(msg.string())) this.#working.get(reply)?.cancel(token)
  }
}
