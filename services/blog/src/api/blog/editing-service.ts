import {
  BLOG_NOT_FOUND,
  BLOG_NOT_PUBLISHED,
  BLOG_NOT_SUBMITTED,
  type PrivateBlog,
  type PrivateBlogItem,
} from '@blog-platform/blog-contract'
import type { AuthorService } from '../author/service.ts'
import type { PublicBlogCache } from './cache.ts'
import { toPrivateBlog, toPrivateBlogItem } from './dto.ts'
import type { BlogListRepository, Place } from './list-repository.ts'
import type { Blog } from './model.ts'
import type { BlogRepository } from './repository.ts'

/** What editors do with submitted and published blogs. */
export class EditingService {
  readonly #blogs: BlogRepository
  readonly #lists: BlogListRepository
  readonly #authors: AuthorService
  readonly #cache: PublicBlogCache

  constructor(blogs: BlogRepository, lists: BlogListRepository, authors: AuthorService, cache: PublicBlogCache) {
    this.#blogs = blogs
    this.#lists = lists
    this.#authors = authors
    this.#cache = cache
  }

  /** @throws {BLOG_NOT_FOUND} {BLOG_NOT_SUBMITTED} */
  async publish(id: string, editor: string): Promise<PrivateBlog> {
    const blog = await this.#cache.changing(id, () => this.#blogs.publish(id, editor))
    return this.#shown(blog ?? (await this.#refuse(id, BLOG_NOT_SUBMITTED)))
  }

  /** @throws {BLOG_NOT_FOUND} {BLOG_NOT_PUBLISHED} */
  async unpublish(id: string, editor: string): Promise<PrivateBlog> {
    const blog = await this.#cache.changing(id, () => this.#blogs.unpublish(id, editor))
    return this.#shown(blog ?? (await this.#refuse(id, BLOG_NOT_PUBLISHED)))
  }

  /** A draft that was never handed in is nobody's but its author's. @throws {BLOG_NOT_FOUND} */
  async find(id: string): Promise<PrivateBlog> {
    const blog = await this.#blogs.find(id)
    if (!blog?.submitted && !blog?.published) throw new BLOG_NOT_FOUND()
    return this.#shown(blog)
  }

  /** Everybody's blogs in a state, newest change first. */
  async list(state: 'submitted' | 'published', place: Place, signal?: AbortSignal): Promise<PrivateBlogItem[]> {
    return (await this.#lists.inState(state, undefined, place, signal)).map(toPrivateBlogItem)
  }

  async #shown(blog: Blog): Promise<PrivateBlog> {
    return toPrivateBlog(blog, await this.#authors.profileOf(blog.author))
  }

  async #refuse(id: string, Reason: typeof BLOG_NOT_SUBMITTED | typeof BLOG_NOT_PUBLISHED): Promise<never> {
    throw (await this.#blogs.find(id)) ? new Reason() : new BLOG_NOT_FOUND()
  }
}
