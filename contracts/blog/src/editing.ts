import { roles } from '@blog-platform/auth-contract'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId, PrivateBlog, PrivateBlogItem, Revision } from './blog.ts'
import {
  BLOG_NOT_FOUND,
  BLOG_NOT_PUBLISHED,
  BLOG_NOT_SUBMITTED,
  CHANGE_NOT_ANNOUNCED,
  REVISION_CONFLICT,
} from './errors.ts'
import { PageQuery } from './paging.ts'

/** What editors do with submitted and published blogs. */
export const editing = contract('blog', {
  /** Everything public becomes that of the revision. A revision that is public already is answered in the same way. */
  publish: procedure({
    http: 'PUT /editor/publish/id/:id?revision',
    access: roles.EDITOR,
    summary:
      'Make public the submitted revision that the editor has read, named by `?revision=`; 409 when there is a newer one',
    input: Type.Object({ id: BlogId, revision: Revision }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, BLOG_NOT_SUBMITTED, REVISION_CONFLICT, CHANGE_NOT_ANNOUNCED },
    message: 'Blog published',
    idempotent: true,
  }),
  unpublish: procedure({
    http: 'PUT /editor/unpublish/id/:id',
    access: roles.EDITOR,
    summary: 'Take a blog off every public read; does nothing to one that is off already',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, BLOG_NOT_PUBLISHED, CHANGE_NOT_ANNOUNCED },
    message: 'Blog unpublished',
    idempotent: true,
  }),
  /** A draft is its author's alone until it is handed in: until then the editors see what is public. */
  review: procedure({
    http: 'GET /editor/id/:id',
    access: roles.EDITOR,
    summary: 'What was submitted of a blog, or else what is public of it, with the revision to publish',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  submitted: procedure({
    http: 'GET /editor/submitted',
    access: roles.EDITOR,
    summary: 'Blogs that wait for an editor, newest change first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  published: procedure({
    http: 'GET /editor/published',
    access: roles.EDITOR,
    summary: 'Blogs that everybody may read, as they are public, newest change first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
})
