import { roles } from '@blog-platform/auth-contract'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogChange, BlogCreate, BlogId, PrivateBlog, PrivateBlogItem } from './blog.ts'
import { BLOG_NOT_FOUND, CHANGE_NOT_ANNOUNCED, NOT_THE_OWNER, SLUG_INVALID, SLUG_TAKEN } from './errors.ts'
import { PageQuery } from './paging.ts'

/** What authors do with their own blogs. */
export const authoring = contract('blog', {
  create: procedure({
    http: 'POST /author',
    access: roles.AUTHOR,
    summary: 'Make a draft',
    input: BlogCreate,
    output: PrivateBlog,
    errors: { SLUG_TAKEN, SLUG_INVALID },
    message: 'Blog created',
  }),
  change: procedure({
    http: 'PUT /author',
    access: roles.AUTHOR,
    summary: 'Change an own blog; nothing public changes until an editor publishes it again',
    input: BlogChange,
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER, SLUG_TAKEN, SLUG_INVALID },
    message: 'Blog changed',
    idempotent: true,
  }),
  submit: procedure({
    http: 'PUT /author/submit/id/:id',
    access: roles.AUTHOR,
    summary: 'Hand an own blog to the editors',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER },
    message: 'Blog submitted',
    idempotent: true,
  }),
  withdraw: procedure({
    http: 'PUT /author/withdraw/id/:id',
    access: roles.AUTHOR,
    summary: 'Take an own blog back from the editors; does nothing to one that is not submitted',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER },
    message: 'Blog withdrawn',
    idempotent: true,
  }),
  findOwn: procedure({
    http: 'GET /author/id/:id',
    access: roles.AUTHOR,
    summary: 'An own blog in any state',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER },
    idempotent: true,
  }),
  remove: procedure({
    http: 'DELETE /author/id/:id',
    access: roles.AUTHOR,
    summary: 'Delete an own blog; nobody else gets its slug. Does nothing to one that is deleted already',
    input: Type.Object({ id: BlogId }),
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER, CHANGE_NOT_ANNOUNCED },
    message: 'Blog deleted',
    idempotent: true,
  }),
  ownDrafts: procedure({
    http: 'GET /author/drafts',
    access: roles.AUTHOR,
    summary: 'Own blogs with something that is not handed in, newest change first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  ownSubmitted: procedure({
    http: 'GET /author/submitted',
    access: roles.AUTHOR,
    summary: 'Own blogs that wait for an editor, newest change first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  ownPublished: procedure({
    http: 'GET /author/published',
    access: roles.AUTHOR,
    summary: 'Own blogs that everybody may read, as they are public, newest change first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
})
