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
    return toPrivateBlog(await this.#blogs.create({ ...content, slug }, user.id), 'draft', author)
  }

  /** Changes the draft; nothing public changes. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} {SLUG_INVALID} {SLUG_TAKEN} */
  async change({ _id, ...content }: BlogChange, userId: string): Promise<PrivateBlog> {
    const change = content.slug === undefined ? content : { ...content, slug: slugOf(content.slug) }
    return this.#shown((await this.#blogs.change(_id, userId, change)) ?? (await this.#refuse(_id)))
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

  /** Done again it changes nothing. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} {CHANGE_NOT_ANNOUNCED} */
  async remove(id: string, userId: string): Promise<void> {
    const change = async () =>
      (await this.#blogs.remove(id, userId)) ?? (await this.#blogs.findRemoved(id, userId)) ?? (await this.#refuse(id))
    await this.#cache.changing(id, change)
  }

  /** Own blogs in a state, newest change first. */
  async list(state: State, userId: string, place: Place, signal?: AbortSignal): Promise<PrivateBlogItem[]> {
    const side = state === 'published' ? 'public' : 'draft'
    return (await this.#lists.inState(state, userId, place, signal)).map(blog => toPrivateBlogItem(blog, side))
  }

  async #shown(blog: Blog): Promise<PrivateBlog> {
    return toPrivateBlog(blog, 'draft', await this.#authors.profileOf(blog.author))
  }

  async #refuse(id: string): Promise<never> {
    throw (await this.#blogs.find(id)) ? new NOT_THE_OWNER() : new BLOG_NOT_FOUND()
  }
}
