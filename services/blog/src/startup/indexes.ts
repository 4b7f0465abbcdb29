import type { IndexDefinition } from 'tsmicro/mongo'
import type { Blog } from '../api/blog/model.ts'

/** Indexes of the collection `blogs`; the missing ones are made at start. Authors are only found by `_id`. */
export const blogIndexes: readonly IndexDefinition<Blog>[] = [
  { key: { slug: 1 }, unique: true },
  // For full-text search: a hit in the title counts three times.
  { key: { title: 'text', description: 'text' }, weights: { title: 3, description: 1 } },
  // For the latest list, in its order.
  { key: { status: 1, published: 1, publishedAt: -1, _id: -1 } },
]
