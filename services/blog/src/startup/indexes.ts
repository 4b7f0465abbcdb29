import type { IndexDefinition } from 'tsmicro/mongo'
import type { Blog } from '../api/blog/model.ts'

/**
 * Indexes of the collection `blogs`; the missing ones are made at start. One for each list query, with its filter's fields
 * first and then its order, so that a page is read without sorting. Authors are only found by `_id`.
 */
export const blogIndexes: readonly IndexDefinition<Blog>[] = [
  // GET /slug/:slug, and one owner of a slug for ever: deleted blogs count.
  { key: { slug: 1 }, unique: true },
  // GET /search and /list/similar: a hit in the title counts three times.
  { key: { title: 'text', description: 'text' }, weights: { title: 3, description: 1 } },
  // GET /list/latest
  { key: { status: 1, published: 1, publishedAt: -1, _id: -1 } },
  // GET /list/tag/:tag
  { key: { status: 1, published: 1, tags: 1, publishedAt: -1, _id: -1 } },
  // GET /author/drafts, /author/submitted, /author/published
  { key: { status: 1, author: 1, drafted: 1, updatedAt: -1, _id: -1 } },
  { key: { status: 1, author: 1, submitted: 1, updatedAt: -1, _id: -1 } },
  { key: { status: 1, author: 1, published: 1, updatedAt: -1, _id: -1 } },
  // GET /editor/submitted, /editor/published
  { key: { status: 1, submitted: 1, updatedAt: -1, _id: -1 } },
  { key: { status: 1, published: 1, updatedAt: -1, _id: -1 } },
]
