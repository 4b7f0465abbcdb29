/**
 * What an invalidation can name, as text: a key, one of the caller's tags, or everything in a cache. A value carries the tag of
 * its key and its own tags, so that one order of invalidations (`TagLog`, and in Redis the hash of a generation) decides about
 * all of them. In messages and in Redis they are called `marks`.
 */
export type Tag = string

/** Tags by the name of their cache. */
export type TagsByCache = ReadonlyMap<string, readonly Tag[]>

export const EVERYTHING: Tag = '*'
export const keyTag = (key: string): Tag => `k${key}`
export const userTag = (tag: string): Tag => `t${tag}`

/** The key that a tag names; undefined for other tags. */
export function keyOf(tag: Tag): string | undefined {
  return tag.startsWith('k') ? tag.slice(1) : undefined
}

export function isTag(value: unknown): value is Tag {
  return typeof value === 'string' && (value === EVERYTHING || /^[kt]/.test(value))
}

/** The number of tags that are remembered one by one; see `#floor` for the others. */
const defaultLimit = 10_000

/**
 * Remembers when a tag was last invalidated, by a counter instead of a clock: two invalidations in the same millisecond have an
 * order, and a clock that is set back changes nothing. (bentocache's own tags compare milliseconds, and keep the times of
 * invalidation in the cache itself, where they can be evicted.)
 */
export class TagLog {
  readonly #limit: number
  readonly #last = new Map<Tag, number>()
  #sequence = 0
  /** Stands for every tag that is not remembered: at worst a value is fetched again, but never served stale. */
  #floor = 0

  constructor(limit = defaultLimit) {
    this.#limit = limit
  }

  /** A number above all earlier ones, which marks the beginning of something. */
  next(): number {
    return ++this.#sequence
  }

  invalidate(tag: Tag): void {
    this.#last.delete(tag)
    this.#last.set(tag, this.next())
    if (this.#last.size <= this.#limit) return
    const [oldest] = this.#last
    if (oldest === undefined) return
    this.#last.delete(oldest[0])
    this.#floor = oldest[1]
  }

  /** Invalidates everything that began before now. */
  invalidateAll(): void {
    this.#last.clear()
    this.#floor = this.next()
  }

  /** Whether one of the tags was invalidated after `began`. */
  invalidatedSince(began: number, tags: readonly Tag[]): boolean {
    return tags.some(tag => (this.#last.get(tag) ?? this.#floor) > began)
  }
}
