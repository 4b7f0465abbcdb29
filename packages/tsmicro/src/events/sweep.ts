import type { DeadLetters } from './dead-letters.ts'
import type { Mending } from './mending.ts'
import type { Order } from './order.ts'

interface SweepParts {
  readonly letters: DeadLetters
  readonly mending: Mending
  readonly order: Order
  /** Milliseconds between two sweeps. */
  readonly everyMs: number
  /** Whether letters may be handled here: not while another instance gets the events alone. */
  readonly here: () => boolean
}

/** However many aggregates are parked, looking after them takes a small part of the time. */
const SHARE = 20

/**
 * Looks from time to time whether parked aggregates can go on: what was missing may have come to another instance, and whoever retried a
 * letter may have died before those behind it. Until then nothing would happen before a later event of the aggregate comes.
 */
export class Sweep {
  readonly #parts: SweepParts
  /** By aggregate: the first number that was missing at the last look. */
  readonly #missing = new Map<string, number>()
  #dueAt: number
  #stopped = false
  #runs = false

  constructor(parts: SweepParts) {
    this.#parts = parts
    this.#dueAt = performance.now() + parts.everyMs
  }

  /** Sweeps if it is time to. */
  tend(): void {
    const began = performance.now()
    if (this.#runs || this.#stopped || began < this.#dueAt) return
    this.#runs = true
    const done = () => {
      const now = performance.now()
      this.#dueAt = now + Math.max(this.#parts.everyMs, SHARE * (now - began))
      this.#runs = false
    }
    // While NATS or the database is down, the next sweep finds the same.
    void this.#sweep().then(done, done)
  }

  /** Ends with the letter that is being handled. */
  stop(): void {
    this.#stopped = true
  }

  async #sweep(): Promise<void> {
    const { letters, here } = this.#parts
    await letters.follow()
    for (const aggregateId of letters.parked) {
      if (this.#stopped || !here()) return
      await this.#lookAt(aggregateId)
    }
  }

  async #lookAt(aggregateId: string): Promise<void> {
    const { letters, mending, order } = this.#parts
    const letter = await letters.first(aggregateId)
    if (!letter) {
      this.#missing.delete(aggregateId)
      if (order.recorded) letters.parked.delete(aggregateId)
      return
    }
    await order.refresh(aggregateId)
    const verdict = await order.judge(letter)
    const [missing] = order.missing(letter)
    const before = this.#missing.get(aggregateId)
    this.#missing.set(aggregateId, missing)
    if (verdict !== 'duplicate' && letter.tries > 0) return
    // Somebody may be at it: with nothing recorded, nothing keeps two from doing the same.
    if (order.recorded ? verdict === 'early' && before === missing : before !== missing) return
    await mending.resume(aggregateId, false, () => !this.#stopped)
  }
}
