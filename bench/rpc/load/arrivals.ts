/**
 * Times at which independent requests arrive at a rate: a Poisson process, whose gaps are random. The same seed gives the same
 * times, so everything that is measured gets the same load.
 */
export class Arrivals {
  readonly #meanGapMs: number
  #state: number
  #nextMs: number

  constructor(perSecond: number, startMs: number, seed = 1) {
    this.#meanGapMs = 1000 / perSecond
    this.#state = seed
    this.#nextMs = startMs
    this.#advance()
  }

  /** When the next request is due, on the clock of `startMs`. */
  get nextMs(): number {
    return this.#nextMs
  }

  /** The time that was due, which is then past. */
  take(): number {
    const due = this.#nextMs
    this.#advance()
    return due
  }

  #advance(): void {
    this.#nextMs += -Math.log(1 - this.#random()) * this.#meanGapMs
  }

  /** mulberry32: small, quick, good enough for gaps. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
