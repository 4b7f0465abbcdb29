import { roles } from '@blog-platform/auth-contract'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId, PrivateBlog, PrivateBlogItem } from './blog.ts'
import { BLOG_NOT_FOUND, BLOG_NOT_PUBLISHED, BLOG_NOT_SUBMITTED } from './errors.ts'
import { PageQuery } from './paging.ts'

/** What editors do with submitted and published blogs. */
export const editing = contract('blog', {
  publish: procedure({
    http: 'PUT /editor/publish/id/:id',
    access: roles.EDITOR,
    summary: 'Make the submitted draft the public text',
    params: Type.Object({ id: BlogId }),
    response: PrivateBlog,
    errors: { BLOG_NOT_FOUND, BLOG_NOT_SUBMITTED },
    message: 'Blog published',
  }),
  unpublish: procedure({
    http: 'PUT /editor/unpublish/id/:id',
    access: roles.EDITOR,
    summary: 'Take a blog off every public read',
    params: Type.Object({ id: BlogId }),
    response: PrivateBlog,
    errors: { BLOG_NOT_FOUND, BLOG_NOT_PUBLISHED },
    message: 'Blog unpublished',
  }),
  /** A draft is its author's alone until it is handed in. */
  review: procedure({
    http: 'GET /editor/id/:id',
    access: roles.EDITOR,
    summary: 'A submitted or published blog',
    params: Type.Object({ id: BlogId }),
    response: PrivateBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  submitted: procedure({
    http: 'GET /editor/submitted',
    access: roles.EDITOR,
    summary: 'Blogs that wait for an editor, newest change first',
    query: PageQuery,
    response: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  published: procedure({
    http: 'GET /editor/published',
    access: roles.EDITOR,
    summary: 'Blogs that everybody may read, newest change first',
    query: PageQuery,
    response: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
})
