import type { Msg } from '@nats-io/nats-core'
import { ComeBackError, type Deadline, Expiring, expireIn, forget, type Log } from '../../call/index.ts'
import { MOST_BATCHED_CALLS } from '../../contract/index.ts'
import { ApiError, INTERNAL } from '../../errors/index.ts'
import { flowHeaders, HEADER_BYTES, LEASE_MS, type Pull } from '../flow.ts'
import { respondFailure } from './message.ts'
import type { Source } from './sources.ts'

interface OutflowParts {
  readonly source: Source
  readonly deadline: Deadline
  /** Bytes that the server accepts in one message. */
  readonly maxPayload: number
  readonly log: Log
  /** Called when the caller has stopped pulling. */
  readonly onGone: () => void
}

/** Milliseconds that a stopping service waits for a caller that has not pulled yet. */
const LAST_CHANCE_MS = 1000
/** The most bytes of items that share a message; a longer item travels alone. */
const MOST_SHARED_BYTES = 65_536
/** Messages that must be left before an item is taken: for what is ready, for an item that does not fit with it, and for the end. */
const LEAST_LEFT = 3

/**
 * Sends a stream or a file to one caller, as far as the caller has pulled. Items that are ready in the same turn of the event loop share a
 * message. A caller that stops pulling counts as gone.
 */
export class Outflow extends Expiring {
  readonly #parts: OutflowParts
  /** The latest pull, whose reply subject takes everything. */
  #pull: Msg | undefined
  /** How many messages it permits. */
  #left = 0
  #granted = { items: 0, bytes: 0 }
  #sent = { items: 0, bytes: 0 }
  #ready: string[] = []
  /** Bytes of the message that they make. */
  #readyBytes = 0
  /** Whether the latest pull has not been answered: its caller wants to know that we are here. */
  #owes = false
  #flushing = false
  #leaseMs = LEASE_MS
  #doubted = false
  #over = false
  #wake: (() => void) | undefined

  constructor(parts: OutflowParts) {
    super()
    this.#parts = parts
  }

  /** Takes a pull of the caller. */
  take(msg: Msg, { items, bytes, leaseMs }: Pull): void {
    if (this.#over) return
    this.#renew(leaseMs)
    this.#doubted = false
    this.#pull = msg
    this.#left = MOST_BATCHED_CALLS
    this.#granted = { items: Math.max(items, this.#granted.items), bytes: Math.max(bytes, this.#granted.bytes) }
    this.#owes = true
    this.#flushSoon()
    this.#wake?.()
  }

  /** The caller has left: nothing more is sent. */
  leave(): void {
    this.#over = true
    this.#wake?.()
  }

  /** The service stops. */
  retire(): void {
    if (!this.#pull && !this.#over) this.#renew(LAST_CHANCE_MS)
  }

  /** Resolves when everything is sent or the caller has left. Returns the failure that was sent. */
  async run(): Promise<ApiError | undefined> {
    this.#renew(this.#leaseMs)
    const unwatch = this.#parts.deadline.onEnd(() => this.#wake?.())
    try {
      const outcome = await this.#sendItems()
      while (this.#left === 0 && !this.#over) await this.#woken()
      return this.#finish(outcome)
    } finally {
      unwatch()
      this.#over = true
      forget(this)
    }
  }

  /** The caller has not pulled in time. After a pause of this process its pulls may still wait to be read, so it gets a second chance. */
  expire(): void {
    if (this.#doubted) this.#parts.onGone()
    else expireIn(this.#leaseMs / 3, this)
    this.#doubted = true
  }

  async #sendItems(): Promise<'done' | 'again' | ApiError> {
    const { source, deadline, log } = this.#parts
    try {
      for (;;) {
        while (!this.#mayTake && !this.#over) {
          deadline.throwIfEnded()
          await this.#woken()
        }
        const part = await source.next()
        if (part === undefined) return 'done'
        this.#add(part)
      }
    } catch (error) {
      if (error instanceof ComeBackError) return 'again'
      if (error instanceof ApiError) return error
      if (!this.#over) log.error({ err: error }, 'an answer could not be sent to its end')
      const failure = new INTERNAL(undefined, { cause: error })
      deadline.cancel(failure)
      return failure
    }
  }

  get #mayTake(): boolean {
    const { items, bytes } = this.#granted
    const taken = this.#sent.items + this.#ready.length
    return this.#left >= LEAST_LEFT && taken < items && this.#sent.bytes + this.#readyBytes < bytes
  }

  #woken(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #renew(leaseMs: number): void {
    this.#leaseMs = leaseMs
    forget(this)
    expireIn(leaseMs, this)
  }

  /** @throws {RangeError} when the server does not accept so large a message */
  #add(part: string | Uint8Array): void {
    if (typeof part !== 'string') {
      this.#send(part, 1)
      return
    }
    const bytes = Buffer.byteLength(part)
    const most = this.#parts.maxPayload - HEADER_BYTES
    if (bytes + 2 > most) throw new RangeError(`an item of ${bytes} bytes is larger than the NATS server accepts`)
    if (this.#readyBytes + bytes + 1 > Math.min(MOST_SHARED_BYTES, most)) this.#flush()
    // One for the comma or bracket that follows it, and one for the bracket before the first.
    this.#readyBytes += bytes + (this.#ready.push(part) === 1 ? 2 : 1)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      if (!this.#over) this.#flush()
    })
  }

  #flush(): void {
    const ready = this.#ready
    this.#ready = []
    this.#readyBytes = 0
    if (ready.length > 0) this.#send(`[${ready.join(',')}]`, ready.length)
    else if (this.#owes) this.#send('', 0)
  }

  #send(body: string | Uint8Array, items: number, headers = flowHeaders(this.#sent.items)): void {
    const { log, onGone } = this.#parts
    this.#left -= 1
    this.#owes = false
    try {
      this.#pull?.respond(body, { headers })
    } catch (err) {
      // The connection is closed.
      log.warn({ err }, 'a part of an answer could not be sent')
      onGone()
    }
    this.#sent = { items: this.#sent.items + items, bytes: this.#sent.bytes + Buffer.byteLength(body) }
  }

  #finish(outcome: 'done' | 'again' | ApiError): ApiError | undefined {
    if (this.#over || !this.#pull) return undefined
    this.#flush()
    const { items } = this.#sent
    if (outcome instanceof ApiError)
      return respondFailure(this.#pull, outcome, this.#parts.log, made => flowHeaders(items, undefined, made))
    this.#send('', 0, flowHeaders(items, outcome))
    return undefined
  }
}
