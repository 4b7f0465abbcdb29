import { createInbox, type Msg, NoRespondersError } from '@nats-io/nats-core'
import { batchSubject } from '../../contract/index.ts'
import { Subscriptions } from '../subscriptions.ts'
import type { Transport } from '../transport.ts'
import { parseItems, readAnswer } from '../wire/batch.ts'
import { Batcher } from './batcher.ts'
import type { BatchingOptions } from './batching.ts'
import { type Outcome, unsent } from './outcome.ts'
import { type CallRequest, PendingCall } from './pending-call.ts'
import { replyToken } from './reply-token.ts'
import { encodeHeaders } from './request-headers.ts'

export interface InboxOptions {
  /** As permitted by the server's configuration for this user. Default `_INBOX` */
  readonly prefix?: string
  /** False = every call in a message of its own. */
  readonly batching: BatchingOptions | false
}

/**
 * The reply subjects of all requests of one connection. Our own rather than nats.js's `request()`: that one captures stack
 * traces and races three promises per call (half the calls a second), and leaves the calls in flight waiting for their
 * time-outs when the connection is lost.
 *
 * Whoever is called sees the subject of one message. From it nobody may find those of others: that would be enough to answer
 * or to cancel them.
 */
export class Inbox {
  readonly #nats: Transport
  readonly #prefix: string
  readonly #subscription: Subscriptions
  readonly #pending = new Set<PendingCall>()
  /** Messages with calls that still wait, by the last token of their reply subject. */
  readonly #messages = new Map<string, PendingCall | SentBatch>()
  readonly #batcher: Batcher | undefined

  constructor(nats: Transport, { prefix, batching }: InboxOptions) {
    this.#nats = nats
    this.#prefix = createInbox(prefix)
    const sendTogether = this.#sendTogether.bind(this)
    const sendAlone = this.#sendAlone.bind(this)
    this.#batcher = batching ? new Batcher({ ...batching, sendAlone, sendTogether }) : undefined
    this.#subscription = new Subscriptions(nats, { onRefused: () => this.#failDeaf() })
    this.#subscription.add({ subject: `${this.#prefix}.*`, take: msg => this.#receive(msg) })
  }

  /** Calls that wait for their reply. */
  get size(): number {
    return this.#pending.size
  }

  /** The server does not let us hear replies. */
  get deaf(): boolean {
    return !this.#subscription.allowed
  }

  /** Begins a call. `watch` is given it before it is sent, and returns a function that ends the watch. */
  request(request: CallRequest, watch?: (call: PendingCall) => () => void): Promise<Outcome> {
    const call = new PendingCall(request, this.#forget)
    const outcome = call.wait()
    this.#pending.add(call)
    if (watch) call.unwatch = watch(call)
    if (this.deaf) this.#failDeaf()
    else if (request.batchable && this.#batcher) this.#batcher.add(call)
    else this.#sendAlone(call)
    return outcome
  }

  /** The subject on which a call's reply comes. */
  replySubject(call: PendingCall): string {
    return `${this.#prefix}.${call.reply}`
  }

  /** The connection is lost: no reply to what was sent can come. */
  failAll(cause: Error): void {
    for (const call of [...this.#pending]) call.end({ kind: 'unavailable', cause })
  }

  /** The server refused to take messages to a subject. */
  failSubject(subject: string, cause: Error): void {
    for (const [token, message] of [...this.#messages]) {
      if (message instanceof SentBatch && batchSubject(message.subject) === subject) this.#nobodyTakes(token, message)
    }
    for (const call of [...this.#pending]) {
      if (call.request.subject === subject && call.item === '') call.end({ kind: 'not-permitted', cause })
    }
  }

  close(): void {
    this.failAll(new Error('the connection was closed'))
    this.#subscription.unsubscribe()
  }

  #failDeaf(): void {
    const cause = new Error(`may not subscribe "${this.#prefix}.*", where replies come`)
    for (const call of [...this.#pending]) call.end({ kind: 'not-permitted', cause })
  }

  #forget = (call: PendingCall): void => {
    this.#pending.delete(call)
    if (call.request.batchable) this.#batcher?.ended(call)
    const message = this.#messages.get(call.reply)
    if (message instanceof PendingCall || message?.ended() === 0) this.#messages.delete(call.reply)
  }

  #sendAlone(call: PendingCall): void {
    const { subject, data, budgetMs, forwarded } = call.request
    call.reply = replyToken()
    call.item = ''
    this.#messages.set(call.reply, call)
    try {
      const headers = encodeHeaders(budgetMs, forwarded)
      const body = data === '' ? '{}' : `{"data":${data}}`
      this.#nats.publish(subject, body, { reply: this.replySubject(call), headers })
    } catch (error) {
      call.end(unsent(error))
    }
  }

  #sendTogether(subject: string, calls: readonly PendingCall[], body: string): void {
    const token = replyToken()
    const batch = new SentBatch(subject, calls)
    for (const call of calls) call.reply = token
    this.#messages.set(token, batch)
    try {
      this.#nats.publish(batchSubject(subject), body, { reply: `${this.#prefix}.${token}` })
    } catch {
      // Each alone may fit where the server takes little; or meets the same failure.
      this.#sendEachAlone(token, batch)
    }
  }

  /** Nobody took this batch, so nothing of it was done. */
  #nobodyTakes(token: string, batch: SentBatch): void {
    this.#batcher?.unsupported(batch.subject)
    this.#sendEachAlone(token, batch)
  }

  #sendEachAlone(token: string, { calls }: SentBatch): void {
    this.#messages.delete(token)
    for (const call of calls) if (!call.ended) this.#sendAlone(call)
  }

  #receive(msg: Msg): void {
    const token = msg.subject.slice(this.#prefix.length + 1)
    const message = this.#messages.get(token)
    if (!message) return
    const nobody = msg.data.length === 0 && isNobody(msg)
    if (message instanceof PendingCall) {
      if (nobody) message.end({ kind: 'unavailable', cause: new NoRespondersError(message.request.subject) })
      else message.end({ kind: 'message', msg })
    } else if (nobody) this.#nobodyTakes(token, message)
    else receiveBatch(message, msg)
  }
}

/** Calls that share a message. */
class SentBatch {
  readonly subject: string
  readonly calls: readonly PendingCall[]
  readonly #first: number
  #left: number

  constructor(subject: string, calls: readonly PendingCall[]) {
    this.subject = subject
    this.calls = calls
    this.#first = Number.parseInt(calls[0]?.item ?? '0', 36)
    this.#left = calls.length
  }

  /** One of its calls has ended. Returns how many still wait. */
  ended(): number {
    this.#left -= 1
    return this.#left
  }

  /** The call of a name: those of a batch are numbered without a gap. */
  find(item: string): PendingCall | undefined {
    const call = this.calls[Number.parseInt(item, 36) - this.#first]
    return call?.item === item ? call : undefined
  }
}

function receiveBatch(batch: SentBatch, msg: Msg): void {
  const items = parseItems(msg.string())
  // What is not a list of answers tells of all calls of the batch what a single reply would tell of one.
  if (!items) for (const call of batch.calls) call.end({ kind: 'message', msg })
  else {
    for (const each of items) {
      const item = readAnswer(each)
      if (item) batch.find(item.token)?.end({ kind: 'item', item })
    }
  }
}

/** The server's word that nobody listens. A header block is parsed only now, by nats.js, which throws on some malformed ones. */
function isNobody(msg: Msg): boolean {
  try {
    return msg.headers?.code === 503
  } catch {
    return false
  }
}
