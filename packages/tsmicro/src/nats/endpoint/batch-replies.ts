import type { Msg } from '@nats-io/nats-core'
import type { Log } from '../../call/index.ts'

/** Characters of one reply message; an answer that is longer travels alone. */
const MAX_LENGTH = 65_536

/** Batches with answers to send at the end of the turn. */
let due: BatchReplies[] = []

/**
 * The answers of a batch. Those that are ready in the same turn of the event loop share a message; a slow one holds up
 * nobody.
 */
export class BatchReplies {
  readonly #msg: Msg
  readonly #maxPayload: number
  readonly #log: Log
  #ready: string[] = []

  /** @param maxPayload bytes that the server takes in one message */
  constructor(msg: Msg, maxPayload: number, log: Log) {
    this.#msg = msg
    this.#maxPayload = maxPayload
    this.#log = log
  }

  /** False when it is larger than the server takes: then nothing was done. */
  add(item: string): boolean {
    // A character is three bytes at most; two are the brackets.
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
      this.#msg.respond(`[${body}]`)
    } catch (err) {
      this.#log.error({ err, subject: this.#msg.subject }, 'answers could not be sent')
    }
  }
}

function sendDue(): void {
  const sending = due
  due = []
  for (const replies of sending) replies.send()
}
