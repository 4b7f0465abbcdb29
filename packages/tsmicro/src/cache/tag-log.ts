/** Tags that are remembered one by one; see `#floor` for the others. */
const defaultLimit = 10_000

/**
 * Remembers when a tag was last invalidated, by a counter rather than a clock: two things in one millisecond have an
 * order, and a clock that is set back changes nothing. (bentocache's own tags compare milliseconds, and keep their marks
 * in the cache itself, where they can be evicted.)
 */
export class TagLog {
  readonly #limit: number
  readonly #last = new Map<string, number>()
  #sequence = 0
  /** Stands for every tag that is not remembered: at worst a value is fetched again, never served stale. */
  #floor = 0

  constructor(limit = defaultLimit) {
    this.#limit = limit
  }

  /** A number above all that were given out: the beginning of something. */
  next(): number {
    return ++this.#sequence
  }

  invalidate(tag: string): void {
    this.#last.delete(tag)
    this.#last.set(tag, this.next())
    if (this.#last.size <= this.#limit) return
    const [oldest] = this.#last
    if (oldest === undefined) return
    this.#last.delete(oldest[0])
    this.#floor = oldest[1]
  }

  /** Invalidates whatever began before now. */
  raise(): void {
    this.#last.clear()
    this.#floor = this.next()
  }

  /** Whether one of the tags was invalidated after that beginning. */
  invalidatedSince(began: number, tags: readonly string[]): boolean {
    return tags.some(tag => (this.#last.get(tag) ?? this.#floor) > began)
  }
}
