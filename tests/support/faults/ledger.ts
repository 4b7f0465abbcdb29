import type { Answer } from '../send.ts'

/** The outcomes of writes, by a unique name. */
export class Ledger {
  readonly #statuses = new Map<string, number>()

  /** Records the answer to a write. */
  async note(name: string, answer: Promise<Answer>): Promise<Answer> {
    const settled = await answer
    this.#statuses.set(name, settled.status)
    return settled
  }

  /** Writes that must be found afterwards, in the order of their answers. */
  get acknowledged(): readonly string[] {
    return this.#names(status => status === 200 || status === 201)
  }

  /** Writes that must not be found. */
  get refused(): readonly string[] {
    return this.#names(status => status >= 400 && status < 500)
  }

  /** Writes that may or may not have been done. */
  get unknown(): readonly string[] {
    return this.#names(status => status >= 500)
  }

  #names(matches: (status: number) => boolean): readonly string[] {
    return [...this.#statuses].filter(([, status]) => matches(status)).map(([name]) => name)
  }
}
