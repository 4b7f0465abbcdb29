import type { PublicProfile } from '@blog-platform/auth-contract'
import {
  BLOG_NOT_FOUND,
  type BlogChange,
  type BlogCreate,
  NOT_THE_OWNER,
  type PrivateBlog,
  type PrivateBlogItem,
} from '@blog-platform/blog-contract'
import type { OpenCover } from '../cover/picture.ts'
import { toPrivateBlog, toPrivateBlogItem } from './dto.ts'
import type { Page, State } from './list-repository.ts'
import type { Blog } from './model.ts'
import type { BlogParts } from './reading-service.ts'
import { slugOf } from './text.ts'

/** The author of a request, with the profile if the caller already knows it. */
export interface AuthorIdentity {
  /** UUID of the user. */
  readonly id: string
  readonly profile?: PublicProfile
}

/** What authors do with their own blogs. */
export class AuthoringService {
  readonly #parts: BlogParts

  constructor(parts: BlogParts) {
    this.#parts = parts
  }

  /** @throws {SLUG_INVALID} {SLUG_TAKEN} */
  async create(content: BlogCreate, user: AuthorIdentity): Promise<PrivateBlog> {
    const { blogs, authors } = this.#parts
    const slug = slugOf(content.slug)
    // The author comes first, so that a failure here leaves nothing behind.
    const author = await authors.profileOf(user.id, user.profile)
    return toPrivateBlog(await blogs.create({ ...content, slug }, user.id), 'draft', author)
  }

  /** Changes the draft; nothing public changes. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} {SLUG_INVALID} {SLUG_TAKEN} */
  async change({ _id, ...content }: BlogChange, userId: string): Promise<PrivateBlog> {
    const change = content.slug === undefined ? content : { ...content, slug: slugOf(content.slug) }
    return this.#shown((await this.#parts.blogs.change(_id, userId, change)) ?? (await this.#refuse(_id)))
  }

  /** Nothing public changes. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async submit(id: string, userId: string): Promise<PrivateBlog> {
    return this.#shown((await this.#parts.blogs.submit(id, userId)) ?? (await this.#refuse(id)))
  }

  /** Nothing public changes. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async withdraw(id: string, userId: string): Promise<PrivateBlog> {
    return this.#shown((await this.#parts.blogs.withdraw(id, userId)) ?? (await this.#refuse(id)))
  }

  /** @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async find(id: string, user: AuthorIdentity): Promise<PrivateBlog> {
    return this.#shown(await this.#own(id, user.id), user.profile)
  }

  /** Changes the draft; nothing public changes. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} {COVER_INVALID} */
  async setCover(id: string, picture: Blob, userId: string): Promise<PrivateBlog> {
    return this.#shown((await this.#parts.covers.set(id, picture, userId)) ?? (await this.#refuse(id)))
  }

  /** Changes the draft; nothing public changes. Repeating it changes nothing. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} */
  async removeCover(id: string, userId: string): Promise<PrivateBlog> {
    const { blogs, covers } = this.#parts
    const blog = (await blogs.removeCover(id, userId)) ?? (await this.#own(id, userId))
    await covers.removeUnused(blog)
    return this.#shown(blog)
  }

  /** @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} {COVER_NOT_FOUND} */
  cover(id: string, userId: string): Promise<OpenCover> {
    return this.#parts.covers.open(async () => (await this.#own(id, userId)).draft.cover?.key)
  }

  /** Repeating it changes nothing. @throws {BLOG_NOT_FOUND} {NOT_THE_OWNER} {CHANGE_NOT_ANNOUNCED} */
  async remove(id: string, userId: string): Promise<void> {
    const { blogs, cache, covers } = this.#parts
    const change = async () =>
      (await blogs.remove(id, userId)) ?? (await blogs.findRemoved(id, userId)) ?? (await this.#refuse(id))
    await covers.removeUnused(await cache.changing(id, change))
  }

  /** The author's blogs in a state, most recently changed first. */
  async list(state: State, userId: string, page: Page, signal?: AbortSignal): Promise<PrivateBlogItem[]> {
    const side = state === 'published' ? 'public' : 'draft'
    return (await this.#parts.lists.inState(state, userId, page, signal)).map(blog => toPrivateBlogItem(blog, side))
  }

  /** All of the author's blogs, as the author sees them, oldest first. */
  async *all(userId: string, signal?: AbortSignal): AsyncGenerator<PrivateBlogItem[]> {
    for await (const blogs of this.#parts.lists.allOf(userId, signal))
      yield blogs.map(blog => toPrivateBlogItem(blog, 'draft'))
  }

  async #shown(blog: Blog, current?: PublicProfile): Promise<PrivateBlog> {
    return toPrivateBlog(blog, 'draft', await this.#parts.authors.profileOf(blog.author, current))
  }

  async #own(id: string, userId: string): Promise<Blog> {
    const blog = await this.#parts.blogs.find(id)
    return blog?.author === userId ? blog : this.#refuse(id)
  }

  async #refuse(id: string): Promise<never> {
    throw (await this.#parts.blogs.find(id)) ? new NOT_THE_OWNER() : new BLOG_NOT_FOUND()
  }
}
