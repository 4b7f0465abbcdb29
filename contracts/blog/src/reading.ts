import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId, BlogItem, PublicBlog, Slug } from './blog.ts'
import { BLOG_NOT_FOUND } from './errors.ts'

export const PageQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 10 }),
})

/** What everybody with an API key may read: published blogs only. */
export const reading = contract('blog', {
  /** Both doors: clients read it over HTTP, other services over NATS. */
  findById: procedure({
    http: 'GET /id/:id',
    nats: 'find.public',
    access: 'key',
    summary: 'A published blog by id',
    request: Type.Object({ id: BlogId }),
    response: PublicBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  findBySlug: procedure({
    http: 'GET /slug/:slug',
    access: 'key',
    summary: 'A published blog by slug',
    params: Type.Object({ slug: Slug }),
    response: PublicBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  latest: procedure({
    http: 'GET /list/latest',
    access: 'key',
    summary: 'Published blogs, newest first',
    query: PageQuery,
    response: Type.Array(BlogItem),
    idempotent: true,
  }),
})
