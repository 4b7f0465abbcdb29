import type { PublicProfile } from '@blog-platform/auth-contract'
import {
  BLOG_NOT_FOUND,
  type BlogChange,
  type BlogCreate,
  NOT_THE_OWNER,
  type PrivateBlog,
  type PrivateBlogItem,
} from '@blog-platform/blog-contract'
import type { AuthorService } from '../author/service.ts'
import type { PublicBlogCache } from './cache.ts'
import { toPrivateBlog, toPrivateBlogItem } from './dto.ts'
import type { BlogListRepository, Place, State } from './list-repository.ts'
import type { Blog } from './model.ts'
import type { BlogRepository } from './repository.ts'
import { slugOf } from './slug.ts'

/** Who writes; the profile where the caller knows it already. */
export interface AuthorIdentity {
  /** UUID of the user. */
  readonly id: string
  readonly profile?: PublicProfile
}

/** What authors do with their own blogs. */
export class AuthoringService {
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

  /** @throws {SLUG_INVALID} {SLUG_TAKEN} */
  async create(content: BlogCreate, user: AuthorIdentity): Promise<PrivateBlog> {
    const slug = slugOf(content.slug)
    // First of all: a blog is never there without its author, and a failure here leaves nothing behind.
    const author = await (user.profile ? this.#authors.remember(user.profile) : this.#authors.profileOf(user.id))
    return toPrivateBlog(await this.#blogs.create({ ...content, slug }, user.id), author)
  }

  /**
   * The public text stays; everything else counts at once.
   * @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} {SLUG_INVALID} {SLUG_TAKEN}
   */
  async change({ _id, ...content }: BlogChange, userId: string): Promise<PrivateBlog> {
    const change = content.slug === undefined ? content : { ...content, slug: slugOf(content.slug) }
    const blog = await this.#cache.changing(_id, () => this.#blogs.change(_id, userId, change))
    return this.#shown(blog ?? (await this.#refuse(_id)))
  }

  /** Nothing public changes. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async submit(id: string, userId: string): Promise<PrivateBlog> {
    return this.#shown((await this.#blogs.submit(id, userId)) ?? (await this.#refuse(id)))
  }

  /** Nothing public changes. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async withdraw(id: string, userId: string): Promise<PrivateBlog> {
    return this.#shown((await this.#blogs.withdraw(id, userId)) ?? (await this.#refuse(id)))
  }

  /** @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async find(id: string, userId: string): Promise<PrivateBlog> {
    const blog = await this.#blogs.find(id)
    return this.#shown(blog?.author === userId ? blog : await this.#refuse(id))
  }

  /** @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async remove(id: string, userId: string): Promise<void> {
    if (!(await this.#cache.changing(id, () => this.#blogs.remove(id, userId)))) await this.#refuse(id)
  }

  /** Own blogs in a state, newest change first. */
  async list(state: State, userId: string, place: Place, signal?: AbortSignal): Promise<PrivateBlogItem[]> {
    return (await this.#lists.inState(state, userId, place, signal)).map(toPrivateBlogItem)
  }

  async #shown(blog: Blog): Promise<PrivateBlog> {
    return toPrivateBlog(blog, await this.#authors.profileOf(blog.author))
  }

  async #refuse(id: string): Promise<never> {
    throw (await this.#blogs.find(id)) ? new NOT_THE_OWNER() : new BLOG_NOT_FOUND()
  }
}
