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
 * Counts an author's changes of a blog's content, from 1: the same number is the same content. What an editor publishes is the
 * revision that the editor has read.
 */
export const Revision = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Revision of a blog',
})
/** Upper case only, so that there is one spelling and one address of a tag. */
export const Tag = Type.String({ pattern: '^[A-Z0-9][A-Z0-9 +#._-]{0,49}$', description: 'Tag in upper case' })
const Tags = Type.Array(Tag, { minItems: 1, maxItems: 20, uniqueItems: true })

/** What an author sends to make a blog. */
export const BlogCreate = Type.Object({
  title: Title,
  description: Description,
  draftText: DraftText,
  slug: Slug,
  imgUrl: Type.Optional(ImageUrl),
  tags: Tags,
})
export type BlogCreate = Static<typeof BlogCreate>

/** What an author sends to change one: the id and any of the fields. */
export const BlogChange = Type.Object({ _id: BlogId, ...Type.Partial(BlogCreate).properties }, { minProperties: 2 })
export type BlogChange = Static<typeof BlogChange>

const shown = {
  _id: BlogId,
  title: Type.String(),
  description: Type.String(),
  slug: Type.String(),
  imgUrl: Type.Optional(Type.String()),
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
 * A blog as its author and the editors see it. Authors are shown the draft; editors what was handed in, or else what is or
 * was public, never a mere draft. `revision` is that of what is shown, `text` the public text whatever is shown.
 */
export const PrivateBlog = Type.Object({
  ...shown,
  text: Type.Optional(Type.String()),
  draftText: Type.String(),
  author: PublicProfile,
  revision: Revision,
  /** What was made public last; it still is if `published` is true. */
  publishedRevision: Type.Optional(Revision),
  ...state,
})
export type PrivateBlog = Static<typeof PrivateBlog>

/**
 * A blog in a list of its author or of the editors, without its texts: lists of what is published show what is public, the
 * others the draft. `revision` is that of what is shown.
 */
export const PrivateBlogItem = Type.Object({
  ...shown,
  authorId: Type.String({ format: 'uuid' }),
  revision: Revision,
  ...state,
})
export type PrivateBlogItem = Static<typeof PrivateBlogItem>
