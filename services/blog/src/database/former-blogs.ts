import { type Document, MongoServerError, type ObjectId } from 'mongodb'
import type { Mongo } from 'tsmicro/mongo'
import type { Blog, Head } from '../api/blog/model.ts'

/** A blog as it was stored before there were revisions: one head, which was the draft's and at the same time public. */
export type FormerBlog = Head & Omit<Blog, 'draft' | 'revision' | 'public' | 'slugs' | 'publicSlugs'>

const COLLECTION = 'blogs'
const FORMER_INDEXES = ['slug_1', 'title_text_description_text', 'status_1_published_1_tags_1_publishedAt_-1__id_-1']
/** NamespaceNotFound, IndexNotFound */
const NOT_THERE: ReadonlySet<unknown> = new Set([26, 27])
/** Small, as each may have two texts of 50,000 characters. */
const BATCH = 100

/**
 * Drops the indexes that the new ones replace: a collection has one text index, and `slug` is no longer in every document.
 * Harmless when repeated.
 */
export async function dropFormerIndexes(mongo: Mongo): Promise<void> {
  const blogs = mongo.collection<Blog>(COLLECTION)
  for (const name of FORMER_INDEXES) {
    try {
      await blogs.run(collection => collection.dropIndex(name))
    } catch (error) {
      if (!(error instanceof MongoServerError && NOT_THERE.has(error.code))) throw error
    }
  }
}

/**
 * Gives blogs of before revisions the form of now. What is public stays public as it is. Each is changed by itself, and several
 * instances may do it at once; where it was interrupted, the next start goes on.
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

/** Whoever else has changed or upgraded it meanwhile was first. */
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
