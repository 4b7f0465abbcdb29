import type { Log } from '../../../call/index.ts'

/** Says what is wrong once, however often it is seen, and again when it was gone in between. */
export class Reporter {
  readonly #log: Log
  #seen: ReadonlySet<string> = new Set()
  readonly #told = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * @param problems all that are there now; each is told when it is seen for the second time: a file that is being copied
   * looks broken for a moment
   */
  report(problems: Iterable<string>): void {
    const now = new Set(problems)
    for (const told of this.#told) if (!now.has(told)) this.#told.delete(told)
    for (const problem of now) {
      if (!this.#seen.has(problem) || this.#told.has(problem)) continue
      this.#told.add(problem)
      this.#log.error({}, problem)
    }
    this.#seen = now
  }
}
