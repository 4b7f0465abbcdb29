import type { InboxStore } from '../stores/index.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Incarnation } from './delivery.ts'
import { FORGOTTEN } from './headers.ts'
import type { ConsumerInfo, JetStreamMessage } from './jetstream/index.ts'

interface ForgettingParts {
  readonly consumer: string
  readonly type: string
  readonly inbox: InboxStore | undefined
  readonly letters: DeadLetters
  /** Milliseconds between two looks whether it is possible. */
  readonly everyMs: number
  /** What the server says about the consumer. */
  readonly info: () => Promise<ConsumerInfo | undefined>
}

/** What the source has told with an event. */
interface Told {
  /** Aggregates whose last event was sent before this time are forgotten there, in milliseconds since 1970. */
  readonly before: number
  /** The event's number in the stream. */
  readonly sequence: number
  readonly from: Incarnation
}

/** Clocks differ, and the use of a row is not recorded each time. */
const MARGIN_MS = 24 * 60 * 60 * 1000

/**
 * Removes what is recorded about aggregates that their source has forgotten. Their events are no longer in the stream, and the next one will
 * say that no lower number can be expected. Whatever this consumer may still be behind with is younger: it waits until all that was sent
 * before is acknowledged, and leaves aggregates alone that have dead letters.
 */
export class Forgetting {
  readonly #parts: ForgettingParts
  #told: Told | undefined
  #dueAt = 0

  constructor(parts: ForgettingParts) {
    this.#parts = parts
  }

  /** Reads what the source tells. */
  note({ headers, sequence }: JetStreamMessage, from: Incarnation): void {
    const told = headers[FORGOTTEN]
    if (told === undefined) return
    const before = Date.parse(told)
    if (before > (this.#told?.before ?? 0) || this.#told?.from !== from) this.#told = { before, sequence, from }
  }

  /** Forgets if it is time to. */
  tend(): void {
    const told = this.#told
    const now = performance.now()
    if (!told || now < this.#dueAt) return
    this.#dueAt = now + this.#parts.everyMs
    const done = (all: boolean) => {
      if (all && this.#told === told) this.#told = undefined
    }
    // While NATS or the database is down, the next time does the same.
    void this.#forget(told).then(done, () => {})
  }

  /** Resolves to whether it was possible. */
  async #forget(told: Told): Promise<boolean> {
    const { consumer, type, inbox, letters } = this.#parts
    if (!inbox) return true
    if (!(await this.#isPast(told))) return false
    for await (const { aggregateId } of letters.all()) await inbox.read([{ consumer, type, aggregateId }])
    // The stream may have been lost since.
    if (!(await this.#isPast(told))) return false
    await inbox.forget({ consumer, type }, new Date(told.before - MARGIN_MS))
    return true
  }

  /** Whether all is acknowledged that was sent before. */
  async #isPast({ sequence, from }: Told): Promise<boolean> {
    const info = await this.#parts.info()
    return info !== undefined && info.created === from.created && info.ack_floor.stream_seq >= sequence
  }
}
