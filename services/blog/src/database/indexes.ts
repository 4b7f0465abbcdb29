import type { IndexDefinition } from 'tsmicro/mongo'
import type { Blog } from '../api/blog/model.ts'
import type { FormerBlog } from './former-blogs.ts'

/**
 * Indexes of the collection `blogs`; missing ones are created at start. Each list query has one with the fields of its filter
 * first and then its order, so that a page is read without sorting. Public reads use only the published snapshot.
 */
export const blogIndexes: readonly IndexDefinition<Blog & Pick<FormerBlog, 'slug'>>[] = [
  // GET /slug/:slug. A slug never changes its owner, so deleted blogs count. Sparse, because blogs from before revisions have none.
  { key: { slugs: 1 }, unique: true, sparse: true },
  // GET /search and /list/similar: a match in the title counts three times.
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
  // Covers that nobody needs, which are searched for at every start.
  { key: { unusedCovers: 1 }, sparse: true },
  { key: { coverUploads: 1 }, sparse: true },
  // Blogs from before revisions, which are searched for at every start: only they have this field.
  { name: 'beforeRevisions', key: { slug: 1 }, sparse: true },
]
