import type { Place, SentHeaders } from './headers.ts'
import type { JetStreamMessage } from './jetstream/index.ts'
import type { Incoming } from './order.ts'
import type { HandledEvent } from './received.ts'

const MOST_HELD = 256
const HELD_MS = 2

/**
 * A consumer on the server, from its creation to its end. After a lost connection it may be another one, of another stream, in which the
 * same number stands for another event: until it is known to be the same, nothing is acknowledged.
 */
export class Incarnation {
  /** When the consumer was created. */
  readonly created: string
  /** There is another one now, which begins with the first event again. */
  replaced = false
  #sure = true
  #held: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(created: string) {
    this.created = created
  }

  get sure(): boolean {
    return this.#sure
  }

  doubt(): void {
    this.#sure = false
  }

  confirm(): void {
    this.#sure = true
    this.flush()
  }

  /** Answers wait a moment for others, as a write to the socket costs far more than an answer, also for the server. */
  tell(answer: () => void): void {
    if (this.#held.push(answer) >= MOST_HELD) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), HELD_MS)
  }

  /** Sends what waits. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#sure) return
    const held = this.#held
    this.#held = []
    for (const answer of held) answer()
  }
}

/** An event that a consumer has delivered, until it is acknowledged or handed back. */
export class Delivery implements Incoming {
  readonly message: JetStreamMessage
  readonly subject: string
  readonly headers: SentHeaders
  readonly aggregateId: string
  readonly number: number | undefined
  readonly first: number
  readonly sequence: number
  readonly fresh: boolean
  readonly bytes: number
  readonly takenAt = performance.now()
  /** How often a handler has failed, and how often a dependency of it. */
  tries = 0
  excused = 0
  /** Of the last try. */
  error: unknown
  /** When it was found to be early. */
  earlySince: number | undefined
  /** For who waits for its end. */
  report: ((handled: HandledEvent) => void) | undefined
  readonly #from: Incarnation
  readonly #left: (delivery: Delivery, handled: boolean) => void

  constructor(
    message: JetStreamMessage,
    { aggregateId, number, first }: Place,
    from: Incarnation,
    left: (delivery: Delivery, handled: boolean) => void,
  ) {
    this.message = message
    this.subject = message.subject
    this.headers = message.headers
    this.aggregateId = aggregateId
    this.number = number
    this.first = first
    this.sequence = message.sequence
    this.fresh = message.deliveries === 1 && message.headers['nats-pin-id'] !== undefined
    this.bytes = message.data.length
    this.#from = from
    this.#left = left
  }

  get replaced(): boolean {
    return this.#from.replaced
  }

  text(): string {
    return this.message.string()
  }

  /** It has been handled, or is kept as a dead letter. */
  done(): void {
    this.#from.tell(() => this.message.ack())
    this.#leave(true)
  }

  /** Somebody else may have it, or we later. */
  handBack(delayMs?: number): void {
    this.#from.tell(() => this.message.nak(delayMs))
    this.#leave(false)
  }

  /** It is still being worked on. */
  extend(): void {
    if (this.#from.sure) this.message.working()
  }

  #leave(handled: boolean): void {
    this.#left(this, handled)
    const id = this.headers['ce-id']
    this.report?.(this.error === undefined ? { id } : { id, error: this.error })
  }
}
