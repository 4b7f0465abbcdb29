import type { Msg } from '@nats-io/nats-core'
import { type Deadline, Expiring, expireIn, forget } from '../../call/index.ts'
import { MALFORMED_REPLY, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { type End, type Opening, readFlowMessage } from '../flow.ts'
import type { Failure } from '../wire.ts'
import { watch } from './pending-call.ts'
import { errorOf, type ReplyErrors } from './reply.ts'

/** How many items and bytes may be on their way or wait to be read. */
const WINDOW = { items: 64, bytes: 256 * 1024 }
/** Milliseconds between two pulls at the most, so that both ends know of each other. */
const LONGEST_PACE_MS = 5000
const SHORTEST_PACE_MS = 1000
/** Pulls in a row without an answer after which the other side counts as gone. */
const MOST_UNANSWERED = 3
/** Milliseconds that chunks of a file wait for a reader. */
const LONGEST_UNREAD_MS = 60_000

/** The connection of an {@link Inflow}. */
export interface InflowLink {
  /** Sends a pull whose reply subject belongs to the inflow. @throws when it cannot be sent */
  pull(subject: string, body: string): void
  /** Tells the service that the caller has left. */
  cancel(stream: string): void
  /** Its messages are no longer wanted. */
  forget(): void
}

export interface InflowParts {
  readonly opening: Opening
  /** True: its messages hold lists of items as JSON. False: each holds the bytes of one chunk. */
  readonly json: boolean
  readonly errors: ReplyErrors
  /** How long the caller waits for an answer. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** Of the call that is being handled. */
  readonly deadline: Deadline | undefined
}

interface Piece {
  readonly value: unknown
  /** Bytes of the message, with its last piece. */
  readonly bytes: number
}

type Outcome = End | { readonly failure: Failure } | { readonly error: () => unknown }

/**
 * Receives a stream or a file that has been opened. Asks for more as pieces are read, so what waits here is limited. Every piece comes
 * exactly once and in order, or the rest fails.
 */
export class Inflow extends Expiring {
  readonly opening: Opening
  readonly #parts: InflowParts
  readonly #link: InflowLink
  readonly #paceMs: number
  readonly #waiting: Piece[] = []
  #received = 0
  #read = { items: 0, bytes: 0 }
  #granted = { items: 0, bytes: 0 }
  #unanswered = 0
  #unread = 0
  #outcome: Outcome | undefined
  #wake: (() => void) | undefined
  readonly #unwatch: () => void

  constructor(link: InflowLink, parts: InflowParts) {
    super()
    const { opening, signal, deadline, timeoutMs } = parts
    this.opening = opening
    this.#parts = parts
    this.#link = link
    this.#paceMs = Math.max(SHORTEST_PACE_MS, Math.min(timeoutMs, LONGEST_PACE_MS))
    this.#unwatch = watch(reason => this.leave(reason), signal, deadline)
  }

  /** Whether it has ended, but not for good. */
  get again(): boolean {
    return this.#outcome === 'again'
  }

  /**
   * Resolves to the next item or chunk, or to undefined at the end.
   * @throws {ApiError} the service's failure; {SERVICE_UNAVAILABLE} when the service is gone or a message was lost; {MALFORMED_REPLY}
   */
  async next(): Promise<unknown> {
    while (this.#waiting.length === 0 && !this.#outcome) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const piece = this.#waiting.shift()
    if (piece) {
      this.#unread = 0
      this.#read = { items: this.#read.items + 1, bytes: this.#read.bytes + piece.bytes }
      if (!this.#outcome && this.#runsLow) this.#pull()
      return piece.value
    }
    const outcome = this.#outcome
    if (typeof outcome !== 'object') return undefined
    throw 'error' in outcome ? outcome.error() : await errorOf(outcome.failure, this.#parts.errors)
  }

  /** Begins, unless the caller has left already. */
  start(): void {
    const { signal, deadline } = this.#parts
    try {
      signal?.throwIfAborted()
      deadline?.throwIfEnded()
      this.#pull()
    } catch (reason) {
      this.leave(reason)
    }
  }

  #pull(): void {
    const { items, bytes } = this.#read
    this.#granted = { items: items + WINDOW.items, bytes: bytes + WINDOW.bytes }
    const { stream, pull } = this.opening
    forget(this)
    expireIn(this.#paceMs, this)
    try {
      const leaseMs = this.#paceMs * MOST_UNANSWERED
      this.#link.pull(pull, JSON.stringify({ stream, ...this.#granted, leaseMs }))
    } catch (cause) {
      this.fail(() => new SERVICE_UNAVAILABLE(undefined, { cause }))
    }
  }

  /** It is time to pull, so that both ends know of each other. */
  expire(): void {
    const silent = this.#unanswered++ >= MOST_UNANSWERED
    // A stream's reader may take its time. A file that nobody reads has been forgotten.
    const idle = !this.#parts.json && this.#waiting.length > 0
    this.#unread = idle ? this.#unread + 1 : 0
    if (silent) this.#leave(unavailable('the service has not answered for a while'))
    else if (this.#unread * this.#paceMs > LONGEST_UNREAD_MS) this.#leave(unavailable('nobody has read it for a while'))
    else this.#pull()
  }

  receive(msg: Msg): void {
    if (this.#outcome) return
    this.#unanswered = 0
    try {
      this.#take(msg)
    } catch (cause) {
      this.#leave(() => new MALFORMED_REPLY(undefined, { cause }))
    }
    this.#wake?.()
  }

  /** What has arrived can still be read; then this error is thrown. */
  fail(error: () => unknown): void {
    this.#end({ error })
  }

  /** The caller does not want the rest. Does nothing if it has ended. */
  leave(reason: unknown): void {
    this.#waiting.length = 0
    this.#leave(() => reason)
  }

  #leave(error: () => unknown): void {
    if (!this.#outcome) this.#link.cancel(this.opening.stream)
    this.fail(error)
  }

  get #runsLow(): boolean {
    const { items, bytes } = this.#read
    return this.#granted.items - items <= WINDOW.items / 2 || this.#granted.bytes - bytes <= WINDOW.bytes / 2
  }

  #take(msg: Msg): void {
    const { sequence, end, failure } = readFlowMessage(msg)
    if (sequence === undefined && !failure) throw new TypeError('the message does not belong to a stream')
    if (sequence !== undefined && sequence !== this.#received)
      this.#leave(unavailable(`expected item ${this.#received}, but the message begins with ${sequence}`))
    else if (failure) this.#end({ failure })
    else if (end) this.#end(end)
    else if (msg.data.length > 0) this.#keep(msg)
  }

  #keep(msg: Msg): void {
    const values: unknown = this.#parts.json ? JSON.parse(msg.string()) : [msg.data]
    if (!Array.isArray(values)) throw new TypeError('the items are not a list')
    for (const [index, value] of values.entries())
      this.#waiting.push({ value, bytes: index === values.length - 1 ? msg.data.length : 0 })
    this.#received += values.length
  }

  #end(outcome: Outcome): void {
    if (this.#outcome) return
    this.#outcome = outcome
    forget(this)
    this.#unwatch()
    this.#link.forget()
    this.#wake?.()
  }
}

function unavailable(why: string): () => unknown {
  return () => new SERVICE_UNAVAILABLE(undefined, { cause: new Error(why) })
}
