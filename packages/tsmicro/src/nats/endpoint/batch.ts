import type { Msg } from '@nats-io/nats-core'
import { Deadline, DoorContext, type Log } from '../../call/index.ts'
import { MOST_BATCHED_CALLS } from '../../contract/index.ts'
import { type ApiError, INTERNAL, MALFORMED_REQUEST } from '../../errors/index.ts'
import { unseenIn } from '../../schema/index.ts'
import { headersInBatch } from '../headers.ts'
import { type BatchedCall, encodeAnswer, encodeRefusal, parseItems, readCall } from '../wire.ts'
import { type Endpoint, InboundCall } from './endpoint.ts'
import { budgetOf, respondFailure } from './message.ts'

/** The most characters of one reply message; a longer answer travels alone. */
const MAX_LENGTH = 65_536

/**
 * The calls of one message. Items that are not calls are skipped. A message that is not a batch gets an answer, and no calls are returned.
 * @param maxPayload bytes that the server accepts in one message
 */
export function readBatch(
  msg: Msg,
  { timeoutMs, numbers }: Pick<Endpoint, 'timeoutMs' | 'numbers'>,
  maxPayload: number,
  log: Log,
): InboundCall[] {
  const text = msg.string()
  const unseen = unseenIn(text, numbers)
  const items = parseItems(text)
  if (!items || items.length > MOST_BATCHED_CALLS) {
    respondFailure(msg, new MALFORMED_REQUEST(), log)
    return []
  }
  const batch = new Batch(msg, maxPayload, log)
  return items.flatMap((item, index) => {
    const read = readCall(item)
    if (!read) return []
    const call = new BatchCall(read, batch, timeoutMs)
    call.unseen = unseen?.(read.data, whole => (Array.isArray(whole) ? whole[index]?.[3] : whole))
    return [call]
  })
}

class BatchCall extends InboundCall {
  override readonly token: string
  readonly #data: unknown
  readonly #batch: Batch

  constructor({ token, budgetMs, headers, data }: BatchedCall, batch: Batch, timeoutMs: number) {
    const deadline = new Deadline(budgetOf(budgetMs, timeoutMs))
    super(new DoorContext({ door: 'nats', headers: () => headersInBatch(headers), deadline, log: batch.log }))
    this.token = token
    this.#data = data
    this.#batch = batch
  }

  read(): unknown {
    return this.#data
  }

  answer(data: string): ApiError | undefined {
    const item = encodeAnswer(this.token, data)
    if (this.#batch.add(item)) return undefined
    this.context.log.error({ length: item.length }, 'an answer is larger than the server accepts')
    return this.refuse(new INTERNAL())
  }

  refuse(error: ApiError): ApiError {
    try {
      if (this.#batch.add(encodeRefusal(this.token, error))) return error
      this.context.log.error({ err: error }, 'a failure is larger than the server accepts')
    } catch (err) {
      this.context.log.error({ err }, 'a failure could not be written')
    }
    const short = new INTERNAL(undefined, { cause: error })
    this.#batch.add(encodeRefusal(this.token, short))
    return short
  }
}

/** Batches whose answers are sent at the end of the turn. */
let due: Batch[] = []

/**
 * The state that the calls of one message share. Answers that are ready in the same turn of the event loop share a message; a slow one
 * delays no other.
 */
class Batch {
  readonly log: Log
  readonly #msg: Msg
  readonly #maxPayload: number
  #ready: string[] = []

  constructor(msg: Msg, maxPayload: number, log: Log) {
    this.#msg = msg
    this.#maxPayload = maxPayload
    this.log = log
  }

  /** Returns false if the item is larger than the server accepts; it is not sent then. */
  add(item: string): boolean {
    // A character is three bytes at most, and the brackets are two.
    if (item.length * 3 + 2 > this.#maxPayload && Buffer.byteLength(item) + 2 > this.#maxPayload) return false
    if (this.#ready.push(item) > 1) return true
    if (due.push(this) === 1) setImmediate(sendDue)
    return true
  }

  send(): void {
    const ready = this.#ready
    this.#ready = []
    let body = ''
    for (const item of ready) {
      if (body.length + item.length > Math.min(MAX_LENGTH, this.#maxPayload / 3)) {
        this.#respond(body)
        body = ''
      }
      body = body === '' ? item : `${body},${item}`
    }
    this.#respond(body)
  }

  #respond(body: string): void {
    if (body === '') return
    try {
      this.#msg.respond(Buffer.from(`[${body}]`))
    } catch (err) {
      this.log.error({ err, subject: this.#msg.subject }, 'answers could not be sent')
    }
  }
}

function sendDue(): void {
  const sending = due
  due = []
  for (const batch of sending) batch.send()
}
