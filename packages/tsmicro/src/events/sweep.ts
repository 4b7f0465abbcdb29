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

/** However many aggregates are parked, looking after them takes a small part of the time, but none of them waits for longer than this. */
const SHARE = 20
const LONGEST_PAUSE_MS = 60_000

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
    const done = (lookedMs = 0) => {
      const pauseMs = Math.max(this.#parts.everyMs, Math.min(SHARE * lookedMs, LONGEST_PAUSE_MS))
      this.#dueAt = performance.now() + pauseMs
      this.#runs = false
    }
    // While NATS or the database is down, the next sweep finds the same.
    void this.#sweep().then(done, () => done())
  }

  /** Ends with the letter that is being handled. */
  stop(): void {
    this.#stopped = true
  }

  /** Returns how many milliseconds the looks took, without what was handled then. */
  async #sweep(): Promise<number> {
    const { letters, mending, here } = this.#parts
    let lookedMs = 0
    await letters.follow()
    for (const aggregateId of letters.parked) {
      if (this.#stopped || !here()) break
      const began = performance.now()
      const goesOn = await this.#goesOn(aggregateId)
      lookedMs += performance.now() - began
      if (goesOn) await mending.resume(aggregateId, false, () => !this.#stopped)
    }
    return lookedMs
  }

  async #goesOn(aggregateId: string): Promise<boolean> {
    const { letters, order } = this.#parts
    const letter = await letters.first(aggregateId)
    if (!letter) {
      this.#missing.delete(aggregateId)
      if (order.recorded) letters.parked.delete(aggregateId)
      return false
    }
    await order.refresh(aggregateId)
    const verdict = await order.judge(letter)
    const [missing] = order.missing(letter)
    const before = this.#missing.get(aggregateId)
    this.#missing.set(aggregateId, missing)
    if (verdict !== 'duplicate' && letter.tries > 0) return false
    // Somebody may be at it: with nothing recorded, nothing keeps two from doing the same.
    return order.recorded ? verdict !== 'early' || before !== missing : before === missing
  }
}
