import type { IndexDefinition } from 'tsmicro/mongo'
import type { Blog } from '../api/blog/model.ts'
import type { FormerBlog } from '../database/former-blogs.ts'

/**
 * Indexes of the collection `blogs`; the missing ones are made at start. One for each list query, with its filter's fields
 * first and then its order, so that a page is read without sorting. What is public is found by the snapshot alone. Authors are only found by `_id`.
 */
export const blogIndexes: readonly IndexDefinition<Blog & Pick<FormerBlog, 'slug'>>[] = [
  // GET /slug/:slug, and one owner of a slug for ever: deleted blogs count. Sparse, as blogs of before revisions have none.
  { key: { slugs: 1 }, unique: true, sparse: true },
  // GET /search and /list/similar: a hit in the title counts three times.
  {
    key: { 'public.title': 'text', 'public.description': 'text' },
    weights: { 'public.title': 3, 'public.description': 1 },
  },
  // GET /list/latest
  { key: { status: 1, published: 1, publishedAt: -1, _id: -1 } },
  // GET /list/tag/:tag
  { key: { status: 1, published: 1, 'public.tags': 1, publishedAt: -1, _id: -1 } },
  // GET /author/drafts, /author/submitted, /author/published
  { key: { status: 1, author: 1, drafted: 1, updatedAt: -1, _id: -1 } },
  { key: { status: 1, author: 1, submitted: 1, updatedAt: -1, _id: -1 } },
  { key: { status: 1, author: 1, published: 1, updatedAt: -1, _id: -1 } },
  // GET /editor/submitted, /editor/published
  { key: { status: 1, submitted: 1, updatedAt: -1, _id: -1 } },
  { key: { status: 1, published: 1, updatedAt: -1, _id: -1 } },
  // Blogs of before revisions, which are looked for at each start: only they have this field.
  { name: 'beforeRevisions', key: { slug: 1 }, sparse: true },
]
