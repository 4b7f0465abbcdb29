import { roles } from '@blog-platform/auth-contract'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId, PrivateBlog, PrivateBlogItem, Revision } from './blog.ts'
import { CoverFile, coverHeaders } from './cover.ts'
import {
  BLOG_NOT_FOUND,
  BLOG_NOT_PUBLISHED,
  BLOG_NOT_SUBMITTED,
  CHANGE_NOT_ANNOUNCED,
  COVER_NOT_FOUND,
  REVISION_CONFLICT,
} from './errors.ts'
import { PageQuery } from './paging.ts'

/** What editors do with submitted and published blogs, and what they share with a blog's author. */
export const editing = contract('blog', {
  /** Everything public is replaced by the revision. If the revision is already public, the answer is the same. */
  publish: procedure({
    http: 'PUT /editor/publish/id/:id?revision',
    access: roles.EDITOR,
    summary:
      'Publish the submitted revision that the editor has read, named by `?revision=`; 409 if there is a newer one',
    input: Type.Object({ id: BlogId, revision: Revision }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, BLOG_NOT_SUBMITTED, REVISION_CONFLICT, CHANGE_NOT_ANNOUNCED },
    message: 'Blog published',
    idempotent: true,
  }),
  unpublish: procedure({
    http: 'PUT /editor/unpublish/id/:id',
    access: roles.EDITOR,
    summary: 'Remove a blog from every public read; does nothing if it is already unpublished',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND, BLOG_NOT_PUBLISHED, CHANGE_NOT_ANNOUNCED },
    message: 'Blog unpublished',
    idempotent: true,
  }),
  /** Only the author sees a draft until it is submitted; until then editors see what is public. */
  review: procedure({
    http: 'GET /editor/id/:id',
    access: roles.EDITOR,
    summary: 'What was submitted of a blog, otherwise what is public of it, with the revision to publish',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  /** An editor has read it before, unlike the draft. */
  lastPublished: procedure({
    http: 'GET /published/id/:id',
    access: { ownerOr: roles.EDITOR },
    summary: 'What was published last of a blog, even if it is no longer public: for its author or an editor',
    input: Type.Object({ id: BlogId }),
    output: PrivateBlog,
    errors: { BLOG_NOT_FOUND },
    idempotent: true,
  }),
  reviewCover: procedure({
    http: 'GET /editor/id/:id/cover',
    access: roles.EDITOR,
    summary: 'The cover that was submitted with a blog, otherwise the public one',
    input: Type.Object({ id: BlogId }),
    output: CoverFile,
    headers: coverHeaders,
    errors: { BLOG_NOT_FOUND, COVER_NOT_FOUND },
    idempotent: true,
  }),
  submitted: procedure({
    http: 'GET /editor/submitted',
    access: roles.EDITOR,
    summary: 'Blogs that are waiting for an editor, most recently changed first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
  published: procedure({
    http: 'GET /editor/published',
    access: roles.EDITOR,
    summary: 'Published blogs, as everybody sees them, most recently changed first',
    input: PageQuery,
    output: Type.Array(PrivateBlogItem),
    idempotent: true,
  }),
})
