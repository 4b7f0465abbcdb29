import { BLOG_NOT_FOUND, type PublicBlog } from '@blog-platform/blog-contract'
import type { AuthorService } from '../author/service.ts'
import type { PublicBlogCache } from './cache.ts'
import { toPublicBlog } from './dto.ts'
import type { Blog } from './model.ts'
import type { BlogRepository } from './repository.ts'
import { normalizeSlug } from './slug.ts'

/** Published blogs one by one, from the cache where it has them. */
export class ReadingService {
  readonly #blogs: BlogRepository
  readonly #authors: AuthorService
  readonly #cache: PublicBlogCache

  constructor(blogs: BlogRepository, authors: AuthorService, cache: PublicBlogCache) {
    this.#blogs = blogs
    this.#authors = authors
    this.#cache = cache
  }

  /** @throws {BLOG_NOT_FOUND} */
  async findById(id: string, signal?: AbortSignal): Promise<PublicBlog> {
    const load = async () => this.#withAuthor(await this.#blogs.findPublic(id))
    return found(await this.#cache.byId(id, load, signal))
  }

  /** The slug is normalised first: what can't be a slug is not found. @throws {BLOG_NOT_FOUND} */
  async findBySlug(text: string, signal?: AbortSignal): Promise<PublicBlog> {
    const slug = normalizeSlug(text)
    if (slug === undefined) throw new BLOG_NOT_FOUND()
    const load = async () => this.#withAuthor(await this.#blogs.findPublicBySlug(slug))
    return found(await this.#cache.bySlug(slug, load, signal))
  }

  async #withAuthor(blog: Blog | null): Promise<PublicBlog | undefined> {
    return blog ? toPublicBlog(blog, await this.#authors.profileOf(blog.author)) : undefined
  }
}

function found(blog: PublicBlog | undefined): PublicBlog {
  if (!blog) throw new BLOG_NOT_FOUND()
  return blog
}
