import type { Log } from '../../call/index.ts'

/** Milliseconds between lines: overload is told of, not added to. */
const INTERVAL_MS = 10_000

/** Tells the log that an endpoint refuses calls, with their number, rarely. */
export class OverloadLog {
  readonly #subject: string
  readonly #log: Log
  #refused = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(subject: string, log: Log) {
    this.#subject = subject
    this.#log = log
  }

  refused(): void {
    this.#refused += 1
    const now = performance.now()
    if (now - this.#toldAt < INTERVAL_MS) return
    this.#log.warn({ subject: this.#subject, refused: this.#refused }, 'overloaded: calls are refused')
    this.#refused = 0
    this.#toldAt = now
  }
}
