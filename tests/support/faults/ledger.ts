import type { Answer } from '../send.ts'

/** What became of writes, by a name that each has for itself. */
export class Ledger {
  readonly #statuses = new Map<string, number>()

  /** Notes down what a write was answered. */
  async note(name: string, answer: Promise<Answer>): Promise<Answer> {
    const settled = await answer
    this.#statuses.set(name, settled.status)
    return settled
  }

  /** Those that have to be found afterwards, in the order of their answers. */
  get acknowledged(): readonly string[] {
    return this.#names(status => status === 200)
  }

  /** Those that must not be found. */
  get refused(): readonly string[] {
    return this.#names(status => status >= 400 && status < 500)
  }

  /** Those that may have been done or not. */
  get unknown(): readonly string[] {
    return this.#names(status => status >= 500)
  }

  #names(matches: (status: number) => boolean): readonly string[] {
    return [...this.#statuses].filter(([, status]) => matches(status)).map(([name]) => name)
  }
}
