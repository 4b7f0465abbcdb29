import { type BlogItem, CHANGE_NOT_ANNOUNCED, type PublicBlog } from '@blog-platform/blog-contract'
import { currentContext, DEADLINE_EXCEEDED, isDependencyFailure, within } from 'tsmicro'
import type { CacheStore } from 'tsmicro/cache'
import { ApiError } from 'tsmicro/contract'
import type { Page } from './list-repository.ts'
import type { Blog } from './model.ts'

/** Who waits for an answer. Asking for its signal makes one, so a read that the cache answers does not ask. */
export interface Caller {
  readonly signal: AbortSignal
}

type Lookup = PublicBlog | undefined

/** Pages beyond this are rarely read. Caching them would only displace what is read often. */
const DEEPEST_CACHED_ITEM = 1000

/** The part of a request's time that is reserved for answering it. */
const ANSWER_MS = 500

/**
 * Caches public reads and invalidates them by tags. A read has the tags of the blog, its author and the slug it asked for, so a
 * change need not know who has read what. A slug has a tag of its own for those who looked it up before a blog had it.
 * Missing blogs are not cached, because strangers' guesses would displace what is actually read.
 */
export class PublicBlogCache {
  readonly #blogs
  readonly #lists

  constructor(store: CacheStore) {
    this.#blogs = store.cache<Lookup>('blog', { frozen: true })
    this.#lists = store.cache<BlogItem[] | undefined>('blog-list', { frozen: true })
  }

  byId(id: string, load: () => Promise<Lookup>, caller?: Caller): Promise<Lookup> {
    const tags = (blog: Lookup) => [blogTag(id), ...authorTags(blog)]
    return this.#blogs.getOrSet(`id/${id}`, load, { tags, ...waiting(caller) })
  }

  bySlug(slug: string, load: () => Promise<Lookup>, caller?: Caller): Promise<Lookup> {
    const tags = (blog: Lookup) => [slugTag(slug), ...(blog ? [blogTag(blog._id)] : []), ...authorTags(blog)]
    return this.#blogs.getOrSet(`slug/${slug}`, load, { tags, ...waiting(caller) })
  }

  /** `name` identifies the list. Empty pages are not cached, because anybody can ask for a tag that no blog has. */
  async list(name: string, { page, limit }: Page, load: () => Promise<BlogItem[]>, caller?: Caller) {
    if (page * limit > DEEPEST_CACHED_ITEM) return load()
    const items = await this.#list(`${name}/${page}/${limit}`, async () => filled(await load()), caller)
    return items ?? []
  }

  /** Undefined means that there is no such blog. */
  similar(id: string, load: () => Promise<BlogItem[] | undefined>, caller?: Caller) {
    return this.#list(`similar/${id}`, load, caller)
  }

  /** Any change of any blog may change any list. */
  #list(key: string, load: () => Promise<BlogItem[] | undefined>, caller?: Caller) {
    return this.#lists.getOrSet(key, load, { tags: [LISTS], ...waiting(caller) })
  }

  /**
   * Runs a change to what is public of a blog. Before the change is answered, every instance has dropped what it made stale.
   * `write` must also return a blog that was already changed before: the answer to that change may have been lost before all
   * instances had dropped it.
   *
   * @throws {CHANGE_NOT_ANNOUNCED} if that cannot be confirmed. The change is stored, and the store keeps notifying the other
   * instances until they have dropped the stale entries
   */
  async changing(id: string, write: () => Promise<Blog>): Promise<Blog> {
    let changed: Blog
    try {
      changed = await write()
    } catch (error) {
      // A write whose answer was lost may have happened. A refusal changed nothing, and guessing ids must not empty everybody's
      // lists. There is no need to wait, because this does not report a change as done.
      if (!isRefusal(error)) this.#invalidate(id, []).catch(() => undefined)
      throw error
    }
    // What was never public is not cached anywhere.
    if (changed.public) await this.#announce(this.#invalidate(id, changed.publicSlugs))
    return changed
  }

  /** Call this after an author's public profile has been written. */
  async authorChanged(userId: string): Promise<void> {
    await this.#blogs.deleteByTag(authorTag(userId))
  }

  /** Both start before either is awaited, so that together they cost one message. */
  async #invalidate(id: string, slugs: readonly string[]): Promise<void> {
    const tags = [blogTag(id), ...slugs.map(slugTag)]
    await Promise.all([this.#blogs.deleteByTags(tags), this.#lists.deleteByTag(LISTS)])
  }

  /** Gives up early enough to tell the caller what has happened before its time is over. */
  async #announce(invalidation: Promise<void>): Promise<void> {
    const msLeft = currentContext()?.deadline.remainingMs()
    try {
      await (msLeft === undefined
        ? invalidation
        : within(msLeft - ANSWER_MS, invalidation, () => new DEADLINE_EXCEEDED()))
    } catch (cause) {
      throw new CHANGE_NOT_ANNOUNCED(undefined, { cause, retryAfterSeconds: 1 })
    }
  }
}

const LISTS = 'lists'
const waiting = (caller: Caller | undefined) => (caller ? { signal: () => caller.signal } : undefined)
const isRefusal = (error: unknown) => error instanceof ApiError && !isDependencyFailure(error)
const filled = (items: BlogItem[]) => (items.length > 0 ? items : undefined)
const blogTag = (id: string) => `blog:${id}`
const slugTag = (slug: string) => `slug:${slug}`
const authorTag = (userId: string) => `author:${userId}`
const authorTags = (blog: Lookup) => (blog ? [authorTag(blog.author.id)] : [])
