import type { Log } from './log.ts'

/** Milliseconds between lines: overload is told of, not added to. */
const INTERVAL_MS = 10_000

/** Tells the log that an endpoint refuses calls, with their number, rarely. */
export class OverloadLog {
  readonly #endpoint: object
  readonly #log: Log
  #refused = 0
  #toldAt = Number.NEGATIVE_INFINITY

  /** @param endpoint fields that say which it is */
  constructor(endpoint: object, log: Log) {
    this.#endpoint = endpoint
    this.#log = log
  }

  refused(): void {
    this.#refused += 1
    const now = performance.now()
    if (now - this.#toldAt < INTERVAL_MS) return
    this.#log.warn({ ...this.#endpoint, refused: this.#refused }, 'overloaded: calls are refused')
    this.#refused = 0
    this.#toldAt = now
  }
}
