import { contract, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId, BlogItem, PublicBlog, Slug, Tag } from './blog.ts'
import { CoverFile, coverHeaders } from './cover.ts'
import { BLOG_NOT_FOUND, COVER_NOT_FOUND, CURSOR_INVALID } from './errors.ts'
import { ListQuery, SearchQuery } from './paging.ts'

/** What anybody with an API key may read: only published blogs. */
export const reading = contract('blog', {
  /** At both doors: clients read it over HTTP, other services over NATS. */
  findById: procedure({
    http: 'GET /id/:id',
    nats: 'find.public',
    access: 'key',
    summary: 'A published blog by id',
    input: Type.Object({ id: BlogId }),
    output: PublicBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  findBySlug: procedure({
    http: 'GET /slug/:slug',
    access: 'key',
    summary: 'A published blog by slug',
    input: Type.Object({ slug: Slug }),
    output: PublicBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  findCover: procedure({
    http: 'GET /id/:id/cover',
    access: 'key',
    summary: 'The cover of a published blog',
    input: Type.Object({ id: BlogId }),
    output: CoverFile,
    headers: coverHeaders,
    errors: { BLOG_NOT_FOUND, COVER_NOT_FOUND },
    idempotent: true,
  }),
  latest: procedure({
    http: 'GET /list/latest',
    access: 'key',
    summary: 'Published blogs, newest first',
    input: ListQuery,
    output: Type.Array(BlogItem),
    errors: { CURSOR_INVALID },
    idempotent: true,
  }),
  /** A blog is sent once it has been public for a few seconds, so that every instance sends them in the same order. */
  follow: procedure({
    http: 'GET /published/stream',
    access: 'key',
    summary:
      'Blogs as they are published for the first time: the newest and what follows it, or what follows the one in `Last-Event-ID`',
    output: stream(BlogItem, { id: '_id' }),
    errors: { CURSOR_INVALID },
    idempotent: true,
  }),
  byTag: procedure({
    http: 'GET /list/tag/:tag',
    access: 'key',
    summary: 'Published blogs with a tag, newest first',
    input: Type.Object({ tag: Tag, ...ListQuery.properties }),
    output: Type.Array(BlogItem),
    errors: { CURSOR_INVALID },
    idempotent: true,
  }),
  similar: procedure({
    http: 'GET /list/similar/id/:id',
    access: 'key',
    summary: 'Up to six other published blogs that share words with this one, best match first, then newest',
    input: Type.Object({ id: BlogId }),
    output: Type.Array(BlogItem, { maxItems: 6 }),
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  search: procedure({
    http: 'GET /search',
    access: 'key',
    summary: 'Published blogs by words in their title and description, best match first, then newest',
    input: SearchQuery,
    output: Type.Array(BlogItem),
    idempotent: true,
  }),
})
