import { roles } from '@blog-platform/auth-contract'
import { contract, file, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogChange, BlogCreate, BlogId, PrivateBlog, PrivateBlogItem } from './blog.ts'
import { BLOG_NOT_FOUND, CHANGE_NOT_ANNOUNCED, NOT_THE_OWNER, SLUG_INVALID, SLUG_TAKEN } from './errors.ts'
import { PageQuery } from './paging.ts'

/** What authors do with their own blogs. */
export const authoring = contract('blog', {
  create: procedure({
    http: 'POST /author',
    access: roles.AUTHOR,
    summary: 'Create a draft',
    input: BlogCreate,
    output: PrivateBlog,
    errors: { SLUG_TAKEN, SLUG_INVALID },
    status: 201,
    headers: { location: 'Where its author reads it, relative to this request' },
    message: 'Blog created',
  }),
  change: procedure({
    http: 'PUT /author',
    access: roles.AUTHOR,
    summary: 'Change your own blog; nothing public changes until an editor publishes it again',
    input: BlogChange,
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER, SLUG_TAKEN, SLUG_INVALID },
    message: 'Blog changed',
    idempotent: true,
  }),
  submit: procedure({
    http: 'PUT /author/submit/id/:id',
    access: roles.AUTHOR,
    summary: 'Submit your own blog to the editors',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER },
    message: 'Blog submitted',
    idempotent: true,
  }),
  withdraw: procedure({
    http: 'PUT /author/withdraw/id/:id',
    access: roles.AUTHOR,
    summary: 'Take your own blog back from the editors; does nothing if it is not submitted',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER },
    message: 'Blog withdrawn',
    idempotent: true,
  }),
  findOwn: procedure({
    http: 'GET /author/id/:id',
    access: roles.AUTHOR,
    summary: 'Your own blog, in any state',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER },
    idempotent: true,
  }),
  remove: procedure({
    http: 'DELETE /author/id/:id',
    access: roles.AUTHOR,
    summary: 'Delete your own blog; its slug stays reserved. Does nothing if it is already deleted',
    input: Type.Object({ id: BlogId }),
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER, CHANGE_NOT_ANNOUNCED },
    message: 'Blog deleted',
    idempotent: true,
  }),
  ownDrafts: procedure({
    http: 'GET /author/drafts',
    access: roles.AUTHOR,
    summary: 'Your blogs with unsubmitted changes, most recently changed first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  ownSubmitted: procedure({
    http: 'GET /author/submitted',
    access: roles.AUTHOR,
    summary: 'Your blogs that are waiting for an editor, most recently changed first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  ownPublished: procedure({
    http: 'GET /author/published',
    access: roles.AUTHOR,
    summary: 'Your published blogs, as everybody sees them, most recently changed first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  exportOwn: procedure({
    http: 'GET /author/blogs.csv',
    access: roles.AUTHOR,
    summary: 'Your blogs as CSV (RFC 4180), oldest first',
    output: file('text/csv'),
    idempotent: true,
  }),
})
