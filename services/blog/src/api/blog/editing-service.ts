import {
  BLOG_NOT_FOUND,
  BLOG_NOT_PUBLISHED,
  BLOG_NOT_SUBMITTED,
  type PrivateBlog,
  type PrivateBlogItem,
  REVISION_CONFLICT,
} from '@blog-platform/blog-contract'
import type { OpenCover } from '../cover/picture.ts'
import { type Side, toPrivateBlog, toPrivateBlogItem } from './dto.ts'
import type { Page } from './list-repository.ts'
import type { Blog } from './model.ts'
import type { BlogParts } from './reading-service.ts'

/** What editors do with submitted and published blogs. They see what was submitted or is public, never an unsubmitted draft. */
export class EditingService {
  readonly #parts: BlogParts

  constructor(parts: BlogParts) {
    this.#parts = parts
  }

  /**
   * Publishes the revision that the editor has read. Repeating it changes nothing.
   * @throws {BLOG_NOT_FOUND} {BLOG_NOT_SUBMITTED} {REVISION_CONFLICT} {CHANGE_NOT_ANNOUNCED}
   */
  async publish(id: string, editor: string, revision: number): Promise<PrivateBlog> {
    const { blogs, cache, covers } = this.#parts
    const change = async () => (await blogs.publish(id, editor, revision)) ?? (await this.#alreadyPublic(id, revision))
    const blog = await cache.changing(id, change)
    await covers.removeUnused(blog)
    return this.#shown(blog, 'public')
  }

  /** Repeating it changes nothing. @throws {BLOG_NOT_FOUND} {BLOG_NOT_PUBLISHED} {CHANGE_NOT_ANNOUNCED} */
  async unpublish(id: string, editor: string): Promise<PrivateBlog> {
    const { blogs, cache } = this.#parts
    const change = async () => (await blogs.unpublish(id, editor)) ?? (await this.#alreadyUnpublished(id))
    return this.#shown(await cache.changing(id, change), 'public')
  }

  /** What was submitted, otherwise what is public. @throws {BLOG_NOT_FOUND} */
  async find(id: string): Promise<PrivateBlog> {
    const { blog, side } = await this.#toReview(id)
    return this.#shown(blog, side)
  }

  /**
   * What was published last, even if it is no longer public. Nobody learns here of a draft that was never published.
   * @param allow rejects if the caller is neither the owner nor an editor
   * @throws {BLOG_NOT_FOUND}
   */
  async lastPublished(id: string, allow: (owner: string) => Promise<void>): Promise<PrivateBlog> {
    const blog = await this.#existing(id)
    if (blog.public === undefined) throw new BLOG_NOT_FOUND()
    await allow(blog.author)
    return this.#shown(blog, 'public')
  }

  /** The cover of the same side. @throws {BLOG_NOT_FOUND} {COVER_NOT_FOUND} */
  cover(id: string): Promise<OpenCover> {
    return this.#parts.covers.open(async () => {
      const { blog, side } = await this.#toReview(id)
      return blog[side]?.cover?.key
    })
  }

  /** Everybody's blogs in a state, most recently changed first. */
  async list(state: 'submitted' | 'published', page: Page, signal?: AbortSignal): Promise<PrivateBlogItem[]> {
    const side = state === 'published' ? 'public' : 'draft'
    const found = await this.#parts.lists.inState(state, undefined, page, signal)
    return found.map(blog => toPrivateBlogItem(blog, side))
  }

  async #toReview(id: string): Promise<{ readonly blog: Blog; readonly side: Side }> {
    const blog = await this.#parts.blogs.find(id)
    if (!blog?.submitted && !blog?.published) throw new BLOG_NOT_FOUND()
    return { blog, side: blog.submitted ? 'draft' : 'public' }
  }

  async #shown(blog: Blog, side: Side): Promise<PrivateBlog> {
    return toPrivateBlog(blog, side, await this.#parts.authors.profileOf(blog.author))
  }

  async #alreadyPublic(id: string, wanted: number): Promise<Blog> {
    const blog = await this.#existing(id)
    if (blog.published && blog.public?.revision === wanted) return blog
    const { revision } = blog
    throw revision === wanted ? new BLOG_NOT_SUBMITTED() : new REVISION_CONFLICT({ revision })
  }

  async #alreadyUnpublished(id: string): Promise<Blog> {
    const blog = await this.#existing(id)
    if (blog.public === undefined) throw new BLOG_NOT_PUBLISHED()
    return blog
  }

  async #existing(id: string): Promise<Blog> {
    const blog = await this.#parts.blogs.find(id)
    if (!blog) throw new BLOG_NOT_FOUND()
    return blog
  }
}
