import { BLOG_NOT_FOUND, type BlogItem, CURSOR_INVALID } from '@blog-platform/blog-contract'
import type { PublicBlogCache } from './cache.ts'
import { toBlogItem } from './dto.ts'
import type { BlogListRepository, Place } from './list-repository.ts'
import type { BlogRepository } from './repository.ts'
import { wordsOf } from './words.ts'

const MOST_SIMILAR: Place = { page: 1, limit: 6 }

/** Lists of published blogs, from the cache where it has them. */
export class ListingService {
  readonly #blogs: BlogRepository
  readonly #lists: BlogListRepository
  readonly #cache: PublicBlogCache

  constructor(blogs: BlogRepository, lists: BlogListRepository, cache: PublicBlogCache) {
    this.#blogs = blogs
    this.#lists = lists
    this.#cache = cache
  }

  /** All, or those with a tag, newest first, beginning behind the blog `cursor`. @throws {CURSOR_INVALID} */
  async published(
    tag: string | undefined,
    { cursor, ...place }: Place & { readonly cursor?: string },
    signal?: AbortSignal,
  ): Promise<BlogItem[]> {
    if (cursor === undefined) {
      const load = async () => (await this.#lists.published(tag, undefined, place)).map(toBlogItem)
      return this.#cache.list(tag === undefined ? 'latest' : `tag/${tag}`, place, load, signal)
    }
    const last = await this.#blogs.findPublication(cursor, signal)
    if (!last) throw new CURSOR_INVALID()
    return (await this.#lists.published(tag, last, place, signal)).map(toBlogItem)
  }

  /** Up to six others that share words with a published blog. @throws {BLOG_NOT_FOUND} */
  async similar(id: string, signal?: AbortSignal): Promise<BlogItem[]> {
    const load = async () => {
      const { public: head } = (await this.#blogs.findPublic(id)) ?? {}
      return head ? this.#matching(`${head.title} ${head.description}`, MOST_SIMILAR, id) : undefined
    }
    const items = await this.#cache.similar(id, load, signal)
    if (!items) throw new BLOG_NOT_FOUND()
    return items
  }

  /** By the words of a text. Not cached: hardly anybody asks the same twice, and there are more questions than memory. */
  search(text: string, place: Place, signal?: AbortSignal): Promise<BlogItem[]> {
    return this.#matching(text, place, undefined, signal)
  }

  async #matching(text: string, place: Place, except?: string, signal?: AbortSignal): Promise<BlogItem[]> {
    const words = wordsOf(text)
    return words === '' ? [] : (await this.#lists.matching(words, place, except, signal)).map(toBlogItem)
  }
}
