import { roles } from '@blog-platform/auth-contract'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogChange, BlogCreate, BlogId, PrivateBlog } from './blog.ts'
import { BLOG_NOT_FOUND, NOT_THE_OWNER, SLUG_INVALID, SLUG_TAKEN } from './errors.ts'

/** What authors do with their own blogs. */
export const authoring = contract('blog', {
  create: procedure({
    http: 'POST /author',
    access: roles.AUTHOR,
    summary: 'Make a draft',
    body: BlogCreate,
    response: PrivateBlog,
    errors: { SLUG_TAKEN, SLUG_INVALID },
    message: 'Blog created',
  }),
  change: procedure({
    http: 'PUT /author',
    access: roles.AUTHOR,
    summary: 'Change an own blog; its public text stays until it is published again',
    body: BlogChange,
    response: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER, SLUG_TAKEN, SLUG_INVALID },
    message: 'Blog changed',
    idempotent: true,
  }),
  submit: procedure({
    http: 'PUT /author/submit/id/:id',
    access: roles.AUTHOR,
    summary: 'Hand an own blog to the editors',
    params: Type.Object({ id: BlogId }),
    response: PrivateBlog,
    errors: { BLOG_NOT_FOUND, NOT_THE_OWNER },
    message: 'Blog submitted',
    idempotent: true,
  }),
})
