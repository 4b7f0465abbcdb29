import { randomUUID } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'
import { type Log, ThrottledLog } from '../../call/index.ts'
import { batchSubject, cancelSubject } from '../../contract/index.ts'
import { isInbox, readCallIds } from '../subjects.ts'
import { Subscriptions } from '../subscriptions.ts'
import type { Transport } from '../transport.ts'
import { readBatch } from './batch.ts'
import { announcements, QUEUE_GROUP, type ServiceIdentity } from './discovery.ts'
import type { Endpoint, InboundCall } from './endpoint.ts'
import { FlowCall } from './flow-call.ts'
import { Flows } from './flows.ts'
import { MessageCall, respond } from './message.ts'

/** How this instance describes itself in `$SRV.INFO`, and where its answers may go. */
export interface NatsServerOptions extends ServiceIdentity {
  /** First characters of subjects to which answers may go, beside `_INBOX`. */
  readonly inboxPrefixes?: readonly string[]
  readonly log: Log
}

/** The most bytes in one message if the server does not say. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024

/** The NATS door of one instance: its endpoints, their subscriptions, and the calls in progress. */
export class NatsServer {
  readonly #options: NatsServerOptions
  readonly #endpoints: Endpoint[] = []
  /** Calls in progress, by the reply subject of their message. */
  readonly #working = new Map<string, readonly InboundCall[]>()
  /** Number of calls in progress. */
  #active = 0
  #whenIdle: (() => void) | undefined
  readonly #noInbox: ThrottledLog
  readonly #flows: Flows
  #subscriptions: Subscriptions | undefined
  /** For pulls: they still come while everything else drains. */
  #pulls: Subscriptions | undefined
  #draining = false

  constructor(options: NatsServerOptions) {
    this.#options = options
    this.#flows = new Flows(options.log)
    this.#noInbox = new ThrottledLog(
      options.log,
      'a request was ignored: its reply subject is not an inbox (see inboxPrefixes)',
    )
  }

  /** Adds an endpoint; before {@link start}. */
  add(endpoint: Endpoint): void {
    this.#endpoints.push(endpoint)
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  /** Subjects that the server does not let this instance subscribe to. */
  get refused(): readonly string[] {
    return [this.#subscriptions, this.#pulls].flatMap(each => each?.refused ?? [])
  }

  /** Subscribes to everything. Subscriptions survive reconnects. */
  start(nats: Transport): void {
    const { name, version, description = '', log } = this.#options
    const identity = { name, version, description, id: randomUUID().replaceAll('-', ''), started: new Date() }
    const maxPayload = nats.info?.max_payload ?? DEFAULT_MAX_PAYLOAD
    // A lost connection may come back, in a cluster even to the same callers. For a stopping instance, that is too late; and so it is for a
    // stream, of which a part may be lost.
    const onLost = () => this.#cancelAll(call => this.#draining || call instanceof FlowCall)
    const subscriptions = new Subscriptions(nats, { log, onLost })
    const pulls = new Subscriptions(nats, { log })
    this.#subscriptions = subscriptions
    this.#pulls = pulls
    for (const endpoint of this.#endpoints) {
      const { subject = '' } = endpoint.procedure
      if (endpoint.flows) {
        const make = (msg: Msg) => new FlowCall(msg, endpoint, this.#flows, maxPayload, log)
        subscriptions.add({ subject, queue: QUEUE_GROUP, take: msg => this.#receive(endpoint, msg, make) })
        pulls.add({ subject: this.#flows.subjectOf(subject), take: msg => this.#receivePull(msg) })
        continue
      }
      const make = (msg: Msg) => new MessageCall(msg, endpoint, log)
      subscriptions.add({ subject, queue: QUEUE_GROUP, take: msg => this.#receive(endpoint, msg, make) })
      subscriptions.add({
        subject: batchSubject(subject),
        queue: QUEUE_GROUP,
        take: msg => this.#receiveBatch(endpoint, msg, maxPayload),
      })
    }
    if (this.#endpoints.length > 0) subscriptions.add({ subject: cancelSubject(name), take: msg => this.#cancel(msg) })
    const announce = (msg: Msg, body: string) => {
      if (msg.reply && this.#mayAnswer(msg)) respond(msg, body, { log })
    }
    for (const each of announcements(identity, this.#endpoints, announce)) subscriptions.add(each)
  }

  /**
   * Stops accepting messages, then waits until the calls in progress have been answered. When the connection is lost, before or meanwhile,
   * no answer can be sent: calls in progress are cancelled instead.
   */
  async drain(): Promise<void> {
    const subscriptions = this.#subscriptions
    this.#draining = true
    await subscriptions?.drain()
    if (subscriptions?.lost) this.#cancelAll(() => true)
    for (const call of this.#calls()) call.retire?.()
    if (this.#active > 0) {
      await new Promise<void>(resolve => {
        this.#whenIdle = resolve
      })
    }
    // Answers of batches are sent at the end of the turn.
    await new Promise(resolve => setImmediate(resolve))
    this.#pulls?.unsubscribe()
  }

  /** Whether the reply subject is acceptable; a message without one is handled without an answer. */
  #mayAnswer(msg: Msg): boolean {
    const { reply } = msg
    if (!reply || isInbox(reply, this.#options.inboxPrefixes ?? [])) return true
    this.#noInbox.warn({ subject: msg.subject, reply })
    return false
  }

  #receive(endpoint: Endpoint, msg: Msg, make: (msg: Msg) => InboundCall): void {
    // Nobody could pull.
    if (endpoint.flows && !msg.reply) return
    if (this.#mayAnswer(msg)) this.#handle(endpoint, msg, [make(msg)])
  }

  #receiveBatch(endpoint: Endpoint, msg: Msg, maxPayload: number): void {
    if (this.#mayAnswer(msg)) this.#handle(endpoint, msg, readBatch(msg, endpoint, maxPayload, this.#options.log))
  }

  /** Handles the calls of a message. */
  #handle(endpoint: Endpoint, { reply }: Msg, calls: InboundCall[]): void {
    let left = calls.length
    if (left === 0) return
    if (reply) this.#working.set(reply, calls)
    this.#active += left
    const ended = () => {
      left -= 1
      if (left === 0) {
        if (reply) this.#working.delete(reply)
        // Former tables of a Map may live on, see `Queue`.
        calls.length = 0
      }
      this.#active -= 1
      if (this.#active === 0) this.#whenIdle?.()
    }
    for (const call of calls) void endpoint.handle(call).then(ended, ended)
  }

  #receivePull(msg: Msg): void {
    if (this.#mayAnswer(msg)) this.#flows.take(msg)
  }

  #calls(): readonly InboundCall[] {
    return [...this.#working.values()].flat()
  }

  #cancelAll(which: (call: InboundCall) => boolean): void {
    for (const call of this.#calls()) if (which(call)) call.cancel()
  }

  #cancel(msg: Msg): void {
    for (const { reply, token } of readCallIds(msg.string()))
      for (const call of [this.#working.get(reply) ?? this.#flows.get(reply) ?? []].flat())
        if (call.token === undefined || call.token === token) call.cancel()
  }
}
