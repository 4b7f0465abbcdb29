export interface CircuitOptions {
  readonly failures: number
  readonly silentMs: number
  readonly openMs: number
}

/**
 * Whether calls of one procedure make sense now. It opens when nothing succeeds any more, and closes with the first success.
 * While it is open one call in `openMs` is let through as a trial. A trial whose answer never comes holds up nobody: the
 * next one has its turn all the same. All times are of the monotonic clock.
 */
export class Circuit {
  readonly #options: CircuitOptions
  #failed = 0
  #succeededAt: number
  /** When the next trial may begin; `undefined` = closed. */
  #trialAt: number | undefined

  constructor(options: CircuitOptions, now: number) {
    this.#options = options
    this.#succeededAt = now
  }

  /** Milliseconds until a call makes sense again; 0 = go on. */
  enter(now: number): number {
    if (this.#trialAt === undefined) return 0
    if (now < this.#trialAt) return this.#trialAt - now
    this.#trialAt = now + this.#options.openMs
    return 0
  }

  /** @returns whether this closed it */
  succeed(now: number): boolean {
    const closed = this.#trialAt !== undefined
    this.#trialAt = undefined
    this.#failed = 0
    this.#succeededAt = now
    return closed
  }

  /**
   * A call that began before the last success tells of times that are over.
   * @returns whether this opened it
   */
  fail(began: number, now: number): boolean {
    const { failures, silentMs, openMs } = this.#options
    if (this.#trialAt !== undefined || began < this.#succeededAt) return false
    this.#failed += 1
    if (this.#failed < failures || now - this.#succeededAt < silentMs) return false
    this.#trialAt = now + openMs
    return true
  }
}
