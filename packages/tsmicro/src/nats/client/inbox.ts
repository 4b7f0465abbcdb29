import { createInbox, InvalidArgumentError, type Msg, NoRespondersError } from '@nats-io/nats-core'
import { batchSubject } from '../../contract/index.ts'
import type { Transport, TransportSubscription } from '../transport.ts'
import { parseItems, readAnswer } from '../wire/batch.ts'
import { Batcher } from './batcher.ts'
import type { BatchingOptions } from './batching.ts'
import type { Outcome } from './outcome.ts'
import { type CallRequest, PendingCall } from './pending-call.ts'
import { encodeHeaders } from './request-headers.ts'

export interface InboxOptions {
  /** As permitted by the server's configuration for this user. Default `_INBOX` */
  readonly prefix?: string
  /** False = every call in a message of its own. */
  readonly batching: BatchingOptions | false
}

/** Marks the reply subject of a batch; a call's own token is lower case. */
const BATCH = 'B'

/**
 * The reply subject of all requests of one connection. Our own rather than nats.js's `request()`: that one captures stack
 * traces and races three promises per call (half the calls a second), and leaves the calls in flight waiting for their
 * time-outs when the connection is lost.
 */
export class Inbox {
  readonly #nats: Transport
  readonly #prefix: string
  readonly #subscription: TransportSubscription
  readonly #pending = new Map<string, PendingCall>()
  /** Batches with calls that still wait, by the last token of their reply subject. */
  readonly #batches = new Map<string, { readonly calls: readonly PendingCall[]; left: number }>()
  readonly #batcher: Batcher | undefined
  #last = 0

  constructor(nats: Transport, { prefix, batching }: InboxOptions) {
    this.#nats = nats
    // The random part cannot be guessed, so nobody else can answer; a number is enough to tell the calls apart.
    this.#prefix = createInbox(prefix)
    const sendTogether = this.#sendTogether.bind(this)
    const sendAlone = this.#sendAlone.bind(this)
    this.#batcher = batching ? new Batcher({ ...batching, sendAlone, sendTogether }) : undefined
    this.#subscription = nats.subscribe(`${this.#prefix}.*`, {
      callback: (error, msg) => (error ? this.failAll(error) : this.#receive(msg)),
    })
  }

  /** Calls that wait for their reply. */
  get size(): number {
    return this.#pending.size
  }

  /** Begins a call. `watch` is given it before it is sent, and returns a function that ends the watch. */
  request(request: CallRequest, watch?: (call: PendingCall) => () => void): Promise<Outcome> {
    this.#last += 1
    const call = new PendingCall(this.#last.toString(36), request, this.#forget)
    const outcome = call.wait()
    this.#pending.set(call.token, call)
    if (watch) call.unwatch = watch(call)
    if (request.batchable && this.#batcher) this.#batcher.add(call)
    else this.#sendAlone(call)
    return outcome
  }

  /** The subject on which a call's reply comes. */
  replySubject(call: PendingCall): string {
    return `${this.#prefix}.${call.batch ?? call.token}`
  }

  /** The connection is lost: no reply to what was sent can come any more. */
  failAll(cause: Error): void {
    for (const call of [...this.#pending.values()]) call.end({ kind: 'unavailable', cause })
  }

  /** The server refused to take messages to a subject. */
  failSubject(subject: string, cause: Error): void {
    for (const [id, { calls }] of [...this.#batches]) {
      if (calls.some(({ request }) => batchSubject(request.subject) === subject)) this.#nobodyTakes(id)
    }
    for (const call of [...this.#pending.values()]) {
      if (call.request.subject === subject) call.end({ kind: 'unavailable', cause })
    }
  }

  close(): void {
    this.failAll(new Error('the connection was closed'))
    if (!this.#nats.isClosed()) this.#subscription.unsubscribe()
  }

  #forget = (call: PendingCall): void => {
    this.#pending.delete(call.token)
    if (call.request.batchable) this.#batcher?.ended(call)
    if (call.batch === undefined) return
    const batch = this.#batches.get(call.batch)
    if (batch && --batch.left === 0) this.#batches.delete(call.batch)
  }

  #sendAlone(call: PendingCall): void {
    const { subject, data, budgetMs, forwarded } = call.request
    call.sent = true
    call.batch = undefined
    try {
      const headers = encodeHeaders(budgetMs, forwarded)
      const body = data === '' ? '{}' : `{"data":${data}}`
      this.#nats.publish(subject, body, { reply: this.replySubject(call), headers })
    } catch (error) {
      call.end(unsent(error))
    }
  }

  #sendTogether(subject: string, calls: readonly PendingCall[], body: string): void {
    this.#last += 1
    const id = BATCH + this.#last.toString(36)
    for (const call of calls) {
      call.sent = true
      call.batch = id
    }
    this.#batches.set(id, { calls, left: calls.length })
    try {
      this.#nats.publish(batchSubject(subject), body, { reply: `${this.#prefix}.${id}` })
    } catch {
      // Each alone may fit where the server takes little; or meets the same failure.
      this.#sendEachAlone(id)
    }
  }

  /** Nobody took this batch, so nothing of it was done. */
  #nobodyTakes(id: string): void {
    const [first] = this.#batches.get(id)?.calls ?? []
    if (first) this.#batcher?.unsupported(first.request.subject)
    this.#sendEachAlone(id)
  }

  #sendEachAlone(id: string): void {
    const calls = this.#batches.get(id)?.calls ?? []
    this.#batches.delete(id)
    for (const call of calls) if (!call.ended) this.#sendAlone(call)
  }

  #receive(msg: Msg): void {
    const token = msg.subject.slice(this.#prefix.length + 1)
    const nobody = msg.data.length === 0 && msg.headers?.code === 503
    if (token.startsWith(BATCH)) {
      if (nobody) this.#nobodyTakes(token)
      else this.#receiveBatch(token, msg)
      return
    }
    const call = this.#pending.get(token)
    if (!call || call.batch !== undefined) return
    if (nobody) call.end({ kind: 'unavailable', cause: new NoRespondersError(call.request.subject) })
    else call.end({ kind: 'message', msg })
  }

  #receiveBatch(id: string, msg: Msg): void {
    const items = parseItems(msg.string())
    // What is not a list of answers tells of all calls of the batch what a single reply would tell of one.
    if (!items) for (const call of this.#batches.get(id)?.calls ?? []) call.end({ kind: 'message', msg })
    else {
      for (const each of items) {
        const item = readAnswer(each)
        const call = item && this.#pending.get(item.token)
        // A service could name any token: only those of its own batch count.
        if (item && call?.batch === id) call.end({ kind: 'item', item })
      }
    }
  }
}

function unsent(cause: unknown): Outcome {
  const tooLarge = cause instanceof InvalidArgumentError && cause.message.includes('max_payload')
  return { kind: tooLarge ? 'too-large' : 'unavailable', cause }
}
