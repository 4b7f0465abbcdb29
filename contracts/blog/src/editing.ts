import { roles } from '@blog-platform/auth-contract'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId, PrivateBlog } from './blog.ts'
import { BLOG_NOT_FOUND, BLOG_NOT_PUBLISHED, BLOG_NOT_SUBMITTED } from './errors.ts'

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
})
