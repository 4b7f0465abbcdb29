import { OVERLOADED } from '../../errors/index.ts'

export interface LimiterOptions {
  /** Tasks at a time. */
  readonly concurrency: number
  /** Tasks that may wait beyond that; one more is refused. */
  readonly maxQueued: number
}

/** Runs tasks, at most so many at a time, first come first served, with a queue that has an end. */
export class Limiter {
  readonly #options: LimiterOptions
  readonly #waiting: (() => void)[] = []
  #active = 0

  constructor(options: LimiterOptions) {
    this.#options = options
  }

  /** @throws {OVERLOADED} at once when the queue is full */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#active >= this.#options.concurrency) await this.#turn()
    else this.#active++
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      // the place passes on without being free in between: a newcomer can't overtake the queue
      if (next === undefined) this.#active--
      else next()
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#options.maxQueued) throw new OVERLOADED(undefined, { retryAfterSeconds: 1 })
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
