/** What everybody may see of a blog, or that they may not. */
export interface Version {
  readonly published: boolean
  readonly title: string
  readonly text: string
  readonly slug: string
  readonly tag: string
}

/** Versions that may be seen: from the last that was answered to the last that was begun. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** The versions of one thing, changed one after the other. */
export class History<T> {
  readonly #versions: T[]
  #answered = 0

  constructor(first: T) {
    this.#versions = [first]
  }

  /** The last version that was begun; its writer is the only one. */
  get latest(): T {
    return this.#versions.at(-1) as T
  }

  /** Number of the last version whose change has been answered: who begins to read now must not see an older one. */
  get answered(): number {
    return this.#answered
  }

  get begun(): number {
    return this.#versions.length - 1
  }

  version(number: number): T {
    return this.#versions[number] as T
  }

  /** @param write resolves when the change is answered */
  async change(next: T, write: () => Promise<unknown>): Promise<void> {
    this.#versions.push(next)
    await write()
    this.#answered = this.begun
  }

  /** Whether some version that may be seen satisfies a condition. */
  some({ from, to }: Window, condition: (version: T) => boolean): boolean {
    return this.#versions.slice(from, to + 1).some(condition)
  }
}
