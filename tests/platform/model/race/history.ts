/** What everybody may see of a blog, and whether it is visible. */
export interface Version {
  readonly published: boolean
  readonly title: string
  readonly text: string
  readonly slug: string
  readonly tag: string
}

/** The versions that a read may show: from the last answered one to the last started one. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** The versions of one thing, which changes one at a time. */
export class History<T> {
  readonly #versions: T[]
  #answered = 0

  constructor(first: T) {
    this.#versions = [first]
  }

  /** The last version that was started. There is only one writer. */
  get latest(): T {
    return this.#versions.at(-1) as T
  }

  /** The number of the last version whose change has been answered: a read that starts now must not show an older one. */
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

  /** Whether a version that a read may show satisfies a condition. */
  some({ from, to }: Window, condition: (version: T) => boolean): boolean {
    return this.#versions.slice(from, to + 1).some(condition)
  }
}
