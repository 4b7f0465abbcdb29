import { contract, event } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId, Revision } from './blog.ts'

/** Changes to what everybody may read. The text of a blog is at `GET /blog/id/:id`. */
export const blogEvents = contract('blog', {
  /** A revision became public: for the first time, again, or instead of another one. */
  blogPublished: event({
    subject: 'blog.published',
    aggregate: 'blogId',
    data: Type.Object({
      blogId: BlogId,
      authorId: Type.String({ format: 'uuid', description: 'UUID of the user who owns it' }),
      revision: Revision,
      title: Type.String(),
      description: Type.String(),
      slug: Type.String(),
      imgUrl: Type.Optional(Type.String()),
      tags: Type.Array(Type.String()),
      publishedAt: Type.String({ format: 'date-time', description: 'When it was published for the first time' }),
    }),
  }),
  /** It may be published again. */
  blogUnpublished: event({ subject: 'blog.unpublished', aggregate: 'blogId', data: Type.Object({ blogId: BlogId }) }),
  /** For good. Announced for blogs that are or were public; nobody has heard of others. */
  blogDeleted: event({ subject: 'blog.deleted', aggregate: 'blogId', data: Type.Object({ blogId: BlogId }) }),
})
