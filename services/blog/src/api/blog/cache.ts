import { type BlogItem, CHANGE_NOT_ANNOUNCED, type PublicBlog } from '@blog-platform/blog-contract'
import { currentContext, isDependencyFailure } from 'tsmicro'
import type { CacheStore } from 'tsmicro/cache'
import { ApiError } from 'tsmicro/contract'
import { inTime } from './in-time.ts'
import type { Place } from './list-repository.ts'
import type { Blog } from './model.ts'

type Lookup = PublicBlog | undefined

/** Further back than this a list is read rarely: keeping it would only push out what is read often. */
const DEEPEST_CACHED_ITEM = 1000

/** Kept of a request's time to say how it ended. */
const ANSWER_MS = 500

/**
 * Public reads that are kept, and what ends them. Everything goes by tags: a read bears those of the blog, of its author
 * and of the slug it asked for, and a change needs to know nothing of who read what. A slug's own tag is for those who looked
 * for it before a blog had it. That there is no such blog is not kept: strangers' guesses would push out what is read.
 */
export class PublicBlogCache {
  readonly #blogs
  readonly #lists

  constructor(store: CacheStore) {
    this.#blogs = store.cache<Lookup>('blog')
    this.#lists = store.cache<BlogItem[] | undefined>('blog-list')
  }

  byId(id: string, load: () => Promise<Lookup>, signal?: AbortSignal): Promise<Lookup> {
    const tags = (blog: Lookup) => [blogTag(id), ...authorTags(blog)]
    return this.#blogs.getOrSet(`id/${id}`, load, { tags, ...(signal ? { signal } : {}) })
  }

  bySlug(slug: string, load: () => Promise<Lookup>, signal?: AbortSignal): Promise<Lookup> {
    const tags = (blog: Lookup) => [slugTag(slug), ...(blog ? [blogTag(blog._id)] : []), ...authorTags(blog)]
    return this.#blogs.getOrSet(`slug/${slug}`, load, { tags, ...(signal ? { signal } : {}) })
  }

  /** `name` tells lists apart. An empty page is not kept: anybody can ask for a tag that no blog has. */
  async list(name: string, { page, limit }: Place, load: () => Promise<BlogItem[]>, signal?: AbortSignal) {
    if (page * limit > DEEPEST_CACHED_ITEM) return load()
    const items = await this.#list(`${name}/${page}/${limit}`, async () => filled(await load()), signal)
    return items ?? []
  }

  /** Undefined = there is no such blog. */
  similar(id: string, load: () => Promise<BlogItem[] | undefined>, signal?: AbortSignal) {
    return this.#list(`similar/${id}`, load, signal)
  }

  /** Any change of any blog may change any list. */
  #list(key: string, load: () => Promise<BlogItem[] | undefined>, signal?: AbortSignal) {
    return this.#lists.getOrSet(key, load, { tags: [LISTS], ...(signal ? { signal } : {}) })
  }

  /**
   * Runs a change of what is public of a blog, and forgets before it is answered what the change made stale, in every
   * instance. A change that was made before is to be given out by `write`, too: the answer to it may have got lost before
   * everybody had forgotten.
   *
   * @throws {CHANGE_NOT_ANNOUNCED} when that cannot be made sure: the change is stored, and the store goes on telling the
   * others until they have forgotten
   */
  async changing(id: string, write: () => Promise<Blog>): Promise<Blog> {
    let changed: Blog
    try {
      changed = await write()
    } catch (error) {
      // A write whose answer got lost may have been done; a refusal is none, and whoever guesses at ids must not empty
      // everybody's lists. Not waited for: this is no answer to a change.
      if (!isRefusal(error)) this.#forget(id, []).catch(() => undefined)
      throw error
    }
    // What was never public is in no cache.
    if (changed.public) await this.#announce(this.#forget(id, changed.publicSlugs))
    return changed
  }

  /** To be called after an author's public profile was written. */
  async authorChanged(userId: string): Promise<void> {
    await this.#blogs.deleteByTag(authorTag(userId))
  }

  /** Both begun before either is waited for: together they cost one message. */
  async #forget(id: string, slugs: readonly string[]): Promise<void> {
    const tags = [blogTag(id), ...slugs.map(slugTag)]
    await Promise.all([this.#blogs.deleteByTags(tags), this.#lists.deleteByTag(LISTS)])
  }

  /** Answers in time what is true, rather than nothing when the caller's time is over. */
  async #announce(forgetting: Promise<void>): Promise<void> {
    const msLeft = currentContext()?.deadline.remainingMs()
    try {
      await (msLeft === undefined ? forgetting : inTime(msLeft - ANSWER_MS, forgetting))
    } catch (cause) {
      throw new CHANGE_NOT_ANNOUNCED(undefined, { cause, retryAfterSeconds: 1 })
    }
  }
}

const LISTS = 'lists'
const isRefusal = (error: unknown) => error instanceof ApiError && !isDependencyFailure(error)
const filled = (items: BlogItem[]) => (items.length > 0 ? items : undefined)
const blogTag = (id: string) => `blog:${id}`
const slugTag = (slug: string) => `slug:${slug}`
const authorTag = (userId: string) => `author:${userId}`
const authorTags = (blog: Lookup) => (blog ? [authorTag(blog.author.id)] : [])
