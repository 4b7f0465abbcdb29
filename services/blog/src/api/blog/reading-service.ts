import { BLOG_NOT_FOUND, type BlogItem, CURSOR_INVALID, type PublicBlog } from '@blog-platform/blog-contract'
import type { AuthorService } from '../author/service.ts'
import type { OpenCover } from '../cover/picture.ts'
import type { CoverService } from '../cover/service.ts'
import type { Caller, PublicBlogCache } from './cache.ts'
import { toBlogItem, toPublicBlog } from './dto.ts'
import type { BlogListRepository, Page } from './list-repository.ts'
import type { Blog, BlogSummary } from './model.ts'
import { PublishedFeed } from './published-feed.ts'
import type { BlogRepository } from './repository.ts'
import { normalizeSlug, wordsOf } from './text.ts'

const MOST_SIMILAR: Page = { page: 1, limit: 6 }

/** What the services for authors, editors and readers share. */
export interface BlogParts {
  readonly blogs: BlogRepository
  readonly lists: BlogListRepository
  readonly authors: AuthorService
  readonly cache: PublicBlogCache
  readonly covers: CoverService
}

/** Published blogs and lists of them, from the cache if possible. */
export class ReadingService {
  readonly #parts: BlogParts
  readonly #feed: PublishedFeed

  constructor(parts: BlogParts) {
    this.#parts = parts
    this.#feed = new PublishedFeed(parts.lists)
  }

  /** @throws {BLOG_NOT_FOUND} */
  async findById(id: string, caller?: Caller): Promise<PublicBlog> {
    const { blogs, cache } = this.#parts
    return found(await cache.byId(id, async () => this.#withAuthor(await blogs.findPublic(id)), caller))
  }

  /** @throws {BLOG_NOT_FOUND} {COVER_NOT_FOUND} */
  cover(id: string, caller?: Caller): Promise<OpenCover> {
    return this.#parts.covers.open(async () => (await this.findById(id, caller)).cover)
  }

  /** Normalizes the slug first. A text that cannot be a slug is not found. @throws {BLOG_NOT_FOUND} */
  async findBySlug(text: string, caller?: Caller): Promise<PublicBlog> {
    const { blogs, cache } = this.#parts
    const slug = found(normalizeSlug(text))
    return found(await cache.bySlug(slug, async () => this.#withAuthor(await blogs.findPublicBySlug(slug)), caller))
  }

  /** All blogs, or those with a tag, newest first, starting after the blog `cursor`. @throws {CURSOR_INVALID} */
  async published(
    tag: string | undefined,
    { cursor, ...page }: Page & { readonly cursor?: string },
    caller?: Caller,
  ): Promise<BlogItem[]> {
    const { blogs, lists, cache } = this.#parts
    if (cursor === undefined) {
      const load = async () => (await lists.published(tag, undefined, page)).map(toBlogItem)
      return cache.list(tag === undefined ? 'latest' : `tag/${tag}`, page, load, caller)
    }
    const last = await blogs.findPublication(cursor, caller?.signal)
    if (!last) throw new CURSOR_INVALID()
    return (await lists.published(tag, last, page, caller?.signal)).map(toBlogItem)
  }

  /** The newest blog and those that follow as they are published, or those after the blog `cursor`. @throws {CURSOR_INVALID} */
  async follow(cursor: string | undefined, signal: AbortSignal): Promise<AsyncIterable<BlogItem>> {
    if (cursor === undefined) return items(this.#feed.fromNewest(signal))
    const last = await this.#parts.blogs.findPublication(cursor, signal)
    if (!last) throw new CURSOR_INVALID()
    return items(this.#feed.after(last, signal))
  }

  /** Up to six other blogs that share words with a published blog. @throws {BLOG_NOT_FOUND} */
  async similar(id: string, caller?: Caller): Promise<BlogItem[]> {
    const load = async () => {
      const { public: head } = (await this.#parts.blogs.findPublic(id)) ?? {}
      return head ? this.#matching(`${head.title} ${head.description}`, MOST_SIMILAR, id) : undefined
    }
    return found(await this.#parts.cache.similar(id, load, caller))
  }

  /** Blogs by the words of a text. Not cached, because the same search is rarely repeated and there are too many of them. */
  search(text: string, page: Page, signal?: AbortSignal): Promise<BlogItem[]> {
    return this.#matching(text, page, undefined, signal)
  }

  async #matching(text: string, page: Page, except?: string, signal?: AbortSignal): Promise<BlogItem[]> {
    const words = wordsOf(text)
    return words === '' ? [] : (await this.#parts.lists.matching(words, page, except, signal)).map(toBlogItem)
  }

  async #withAuthor(blog: Blog | null): Promise<PublicBlog | undefined> {
    return blog ? toPublicBlog(blog, await this.#parts.authors.readProfileOf(blog.author)) : undefined
  }
}

async function* items(blogs: AsyncIterable<BlogSummary>): AsyncGenerator<BlogItem, void> {
  for await (const blog of blogs) yield toBlogItem(blog)
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new BLOG_NOT_FOUND()
  return value
}
