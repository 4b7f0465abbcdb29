import {
  BLOG_NOT_FOUND,
  BLOG_NOT_PUBLISHED,
  BLOG_NOT_SUBMITTED,
  type PrivateBlog,
  type PrivateBlogItem,
  REVISION_CONFLICT,
} from '@blog-platform/blog-contract'
import type { AuthorService } from '../author/service.ts'
import type { PublicBlogCache } from './cache.ts'
import { type Side, toPrivateBlog, toPrivateBlogItem } from './dto.ts'
import type { BlogListRepository, Place } from './list-repository.ts'
import type { Blog } from './model.ts'
import type { BlogRepository } from './repository.ts'

/** What editors do with submitted and published blogs. They are shown what was handed in or is public, never a mere draft. */
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

  /**
   * Makes public the revision that the editor has read. Done again it changes nothing.
   * @throws {BLOG_NOT_FOUND} {BLOG_NOT_SUBMITTED} {REVISION_CONFLICT} {CHANGE_NOT_ANNOUNCED}
   */
  async publish(id: string, editor: string, revision: number): Promise<PrivateBlog> {
    const change = async () =>
      (await this.#blogs.publish(id, editor, revision)) ?? (await this.#publicAlready(id, revision))
    return this.#shown(await this.#cache.changing(id, change), 'public')
  }

  /** Done again it changes nothing. @throws {BLOG_NOT_FOUND} {BLOG_NOT_PUBLISHED} {CHANGE_NOT_ANNOUNCED} */
  async unpublish(id: string, editor: string): Promise<PrivateBlog> {
    const change = async () => (await this.#blogs.unpublish(id, editor)) ?? (await this.#takenOffAlready(id))
    return this.#shown(await this.#cache.changing(id, change), 'public')
  }

  /** What was handed in, or else what is public. @throws {BLOG_NOT_FOUND} */
  async find(id: string): Promise<PrivateBlog> {
    const blog = await this.#blogs.find(id)
    if (!blog?.submitted && !blog?.published) throw new BLOG_NOT_FOUND()
    return this.#shown(blog, blog.submitted ? 'draft' : 'public')
  }

  /** Everybody's blogs in a state, newest change first. */
  async list(state: 'submitted' | 'published', place: Place, signal?: AbortSignal): Promise<PrivateBlogItem[]> {
    const side = state === 'published' ? 'public' : 'draft'
    const found = await this.#lists.inState(state, undefined, place, signal)
    return found.map(blog => toPrivateBlogItem(blog, side))
  }

  async #shown(blog: Blog, side: Side): Promise<PrivateBlog> {
    return toPrivateBlog(blog, side, await this.#authors.profileOf(blog.author))
  }

  async #publicAlready(id: string, wanted: number): Promise<Blog> {
    const blog = await this.#existing(id)
    if (blog.published && blog.public?.revision === wanted) return blog
    const { revision } = blog
    throw revision === wanted ? new BLOG_NOT_SUBMITTED() : new REVISION_CONFLICT({ revision })
  }

  async #takenOffAlready(id: string): Promise<Blog> {
    const blog = await this.#existing(id)
    if (blog.public === undefined) throw new BLOG_NOT_PUBLISHED()
    return blog
  }

  async #existing(id: string): Promise<Blog> {
    const blog = await this.#blogs.find(id)
    if (!blog) throw new BLOG_NOT_FOUND()
    return blog
  }
}
