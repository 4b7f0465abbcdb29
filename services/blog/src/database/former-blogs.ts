import { type Document, MongoServerError, type ObjectId } from 'mongodb'
import type { Mongo } from 'tsmicro/mongo'
import type { Blog, Head } from '../api/blog/model.ts'

/** A blog as it was stored before there were revisions: a single head, both for the draft and for the public. */
export type FormerBlog = Head & Omit<Blog, 'draft' | 'revision' | 'public' | 'slugs' | 'publicSlugs'>

const COLLECTION = 'blogs'
const FORMER_INDEXES = ['slug_1', 'title_text_description_text', 'status_1_published_1_tags_1_publishedAt_-1__id_-1']
/** NamespaceNotFound, IndexNotFound */
const NOT_FOUND: ReadonlySet<unknown> = new Set([26, 27])
/** Small, because each blog may have two texts of 50,000 characters. */
const BATCH = 100

/**
 * Drops the indexes that new ones replace: a collection can have only one text index, and `slug` is no longer in every document.
 * It can be repeated.
 */
export async function dropFormerIndexes(mongo: Mongo): Promise<void> {
  const blogs = mongo.collection<Blog>(COLLECTION)
  for (const name of FORMER_INDEXES) {
    try {
      await blogs.run(collection => collection.dropIndex(name))
    } catch (error) {
      if (!(error instanceof MongoServerError && NOT_FOUND.has(error.code))) throw error
    }
  }
}

/**
 * Upgrades blogs from before revisions to the current form. What is public stays as it is. Each blog is changed separately, and
 * several instances may do this at once. If it is interrupted, the next start continues.
 */
export async function upgradeFormerBlogs(mongo: Mongo): Promise<void> {
  const former = mongo.collection<FormerBlog>(COLLECTION)
  for (;;) {
    const found = await former.find({ slug: { $exists: true } }, { limit: BATCH })
    if (found.length === 0) return
    const operations = found.map(blog => ({ replaceOne: { filter: unchanged(blog), replacement: upgraded(blog) } }))
    await former.run(collection => collection.bulkWrite(operations as Document[] as never, { ordered: false }))
  }
}

/** Matches only if nobody has changed or upgraded the blog in the meantime. */
function unchanged({ _id, slug, updatedAt }: FormerBlog): Document {
  return { _id, slug, updatedAt }
}

function upgraded({ title, description, tags, imgUrl, slug, ...blog }: FormerBlog): Blog & { readonly _id: ObjectId } {
  const head = { title, description, tags, slug, ...(imgUrl === undefined ? {} : { imgUrl }) }
  const kept = { ...blog, draft: head, slugs: [slug] }
  if (blog.text === undefined) return { ...kept, revision: 1, publicSlugs: [] }
  const revision = blog.text === blog.draftText ? 1 : 2
  return { ...kept, revision, public: { ...head, revision: 1 }, publicSlugs: [slug] }
}
