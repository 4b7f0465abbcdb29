import { PublicProfile } from '@blog-platform/auth-contract'
import Type, { type Static } from 'typebox'

export const BLOG_ID = '^[0-9a-f]{24}$'
export const BlogId = Type.String({ pattern: BLOG_ID, description: 'Id of a blog' })
export const Slug = Type.String({ minLength: 3, maxLength: 200 })
const Title = Type.String({ minLength: 3, maxLength: 500 })
const Description = Type.String({ minLength: 3, maxLength: 2000 })
const DraftText = Type.String({ maxLength: 50_000 })
const ImageUrl = Type.String({ format: 'uri', pattern: '^https?://', maxLength: 200 })
/**
 * Counts an author's changes to a blog's content, from 1: the same number means the same content. An editor publishes the
 * revision that they have read.
 */
export const Revision = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Revision of a blog',
})
/** Upper case only, so that every tag has one spelling and one URL. */
export const Tag = Type.String({ pattern: '^[A-Z0-9][A-Z0-9 +#._-]{0,49}$', description: 'Tag in upper case' })
const Tags = Type.Array(Tag, { minItems: 1, maxItems: 20, uniqueItems: true })

/** What an author sends to create a blog. */
export const BlogCreate = Type.Object({
  title: Title,
  description: Description,
  draftText: DraftText,
  slug: Slug,
  imgUrl: Type.Optional(ImageUrl),
  tags: Tags,
})
export type BlogCreate = Static<typeof BlogCreate>

/** What an author sends to change a blog: the id and any of the fields. */
export const BlogChange = Type.Object({ _id: BlogId, ...Type.Partial(BlogCreate).properties }, { minProperties: 2 })
export type BlogChange = Static<typeof BlogChange>

const shown = {
  _id: BlogId,
  title: Type.String(),
  description: Type.String(),
  slug: Type.String(),
  imgUrl: Type.Optional(Type.String()),
  cover: Type.Optional(Type.String({ description: 'Version of the cover picture; absent = there is none' })),
  score: Type.Number({ minimum: 0, maximum: 1 }),
  tags: Type.Array(Type.String()),
}

/** A published blog in a list. */
export const BlogItem = Type.Object(shown)
export type BlogItem = Static<typeof BlogItem>

/** A published blog as everybody reads it. */
export const PublicBlog = Type.Object({
  ...shown,
  text: Type.String(),
  author: PublicProfile,
  publishedAt: Type.String({ format: 'date-time' }),
})
export type PublicBlog = Static<typeof PublicBlog>

const state = {
  submitted: Type.Boolean(),
  drafted: Type.Boolean(),
  published: Type.Boolean(),
  publishedAt: Type.Optional(Type.String({ format: 'date-time' })),
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
}

/**
 * A blog as its author and the editors see it. Authors see the draft. Editors see what was submitted, otherwise what is or was
 * public, but never an unsubmitted draft. `revision` belongs to the side that is shown, `text` is always the public text.
 */
export const PrivateBlog = Type.Object({
  ...shown,
  text: Type.Optional(Type.String()),
  draftText: Type.String(),
  author: PublicProfile,
  revision: Revision,
  /** The revision that was published last; it is still public if `published` is true. */
  publishedRevision: Type.Optional(Revision),
  ...state,
})
export type PrivateBlog = Static<typeof PrivateBlog>

/**
 * A blog in a list for its author or for editors, without its texts. Lists of published blogs show the public side, others the
 * draft. `revision` belongs to the side that is shown.
 */
export const PrivateBlogItem = Type.Object({
  ...shown,
  authorId: Type.String({ format: 'uuid' }),
  revision: Revision,
  ...state,
})
export type PrivateBlogItem = Static<typeof PrivateBlogItem>
