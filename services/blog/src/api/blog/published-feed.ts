import { setTimeout as sleep } from 'node:timers/promises'
import { withSharedContext } from 'tsmicro'
import type { BlogListRepository, Place } from './list-repository.ts'
import type { BlogSummary, Publication } from './model.ts'

/**
 * A blog's date of publication is taken before it is stored, which may take as long as an operation on MongoDB, and clocks of
 * instances differ. What is older than this can no longer be overtaken by something still older.
 */
const SETTLED_MS = 6000
const POLL_MS = 1000
const PAGE = 100
/** Before all blogs. */
const FIRST: Place = { publishedAt: new Date(0) }
const NEVER = new AbortController().signal

/** Blogs in the order of their publication, as they become public. */
export class PublishedFeed {
  readonly #lists: BlogListRepository
  #newest: Promise<(BlogSummary & Publication) | null> = Promise.resolve(null)
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(lists: BlogListRepository) {
    this.#lists = lists
  }

  /** The newest one at once, because a client without an item could not come back where it was; then what follows. */
  async *fromNewest(signal: AbortSignal): AsyncGenerator<BlogSummary, void> {
    const newest = await this.#newestOne()
    if (newest) yield newest
    yield* this.after(newest ?? FIRST, signal)
  }

  /** What follows a place among published blogs. Never ends by itself. */
  async *after(start: Place, signal: AbortSignal): AsyncGenerator<BlogSummary, void> {
    for (let last = start; ; ) {
      const page = await this.#lists.publishedAfter(last, settled(), PAGE, signal)
      for (const blog of page) {
        yield blog
        last = blog
      }
      if (page.length === PAGE) continue
      do await sleep(POLL_MS, undefined, { signal })
      while (((await this.#newestOne())?.publishedAt ?? 0) <= last.publishedAt)
    }
  }

  /** One query a second, however many wait. */
  #newestOne(): Promise<(BlogSummary & Publication) | null> {
    const now = performance.now()
    if (now - this.#askedAt >= POLL_MS) {
      this.#askedAt = now
      this.#newest = withSharedContext(NEVER, () => this.#lists.newest(settled()))
      // Each of those who wait meets the failure.
      this.#newest.catch(() => {})
    }
    return this.#newest
  }
}

function settled(): Date {
  return new Date(Date.now() - SETTLED_MS)
}
