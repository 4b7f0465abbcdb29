import type { Log } from './log.ts'

/** Milliseconds between lines: what others do to us in masses is told of, not added to. */
const INTERVAL_MS = 10_000

/** Tells the log of something that may happen very often, with its number, rarely. */
export class RareLog {
  readonly #log: Log
  readonly #message: string
  #times = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(log: Log, message: string) {
    this.#log = log
    this.#message = message
  }

  /** @param fields of this time; those between are counted only */
  happened(fields: object): void {
    this.#times += 1
    const now = performance.now()
    if (now - this.#toldAt < INTERVAL_MS) return
    this.#log.warn({ ...fields, times: this.#times }, this.#message)
    this.#times = 0
    this.#toldAt = now
  }
}
