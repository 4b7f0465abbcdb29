import { defineErrors } from 'tsmicro/contract'
import Type from 'typebox'
import { Revision } from './blog.ts'

/** The errors of the blog service, in addition to the framework's own. */
export const {
  BLOG_NOT_FOUND,
  NOT_THE_OWNER,
  SLUG_TAKEN,
  SLUG_INVALID,
  BLOG_NOT_SUBMITTED,
  BLOG_NOT_PUBLISHED,
  REVISION_CONFLICT,
  CHANGE_NOT_ANNOUNCED,
  CURSOR_INVALID,
  COVER_INVALID,
  COVER_NOT_FOUND,
} = defineErrors({
  BLOG_NOT_FOUND: { status: 404, message: 'There is no such blog' },
  NOT_THE_OWNER: { status: 403, message: 'This blog belongs to somebody else' },
  SLUG_TAKEN: { status: 409, message: 'Another blog has this slug', data: Type.Object({ slug: Type.String() }) },
  SLUG_INVALID: { status: 400, message: 'The slug needs at least three letters or digits' },
  BLOG_NOT_SUBMITTED: { status: 400, message: 'The author has not submitted this blog' },
  BLOG_NOT_PUBLISHED: { status: 400, message: 'This blog was never published' },
  REVISION_CONFLICT: {
    status: 409,
    message: 'This is not the latest revision of the blog: read it again',
    data: Type.Object({ revision: Revision }),
  },
  CHANGE_NOT_ANNOUNCED: {
    status: 503,
    message:
      'The change is stored, but an instance that does not answer may show the previous state for a few seconds. Repeat the request to be sure that none does',
  },
  CURSOR_INVALID: { status: 400, message: 'The cursor must be the id of a blog that is or was published' },
  COVER_INVALID: { status: 400, message: 'The bytes of the cover are not of the type that it was sent as' },
  COVER_NOT_FOUND: { status: 404, message: 'This blog has no cover' },
})
