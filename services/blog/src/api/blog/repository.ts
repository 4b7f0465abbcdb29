import { SLUG_TAKEN } from '@blog-platform/blog-contract'
import { type Document, type Filter, ObjectId } from 'mongodb'
import { type IndexDefinition, isDuplicateKey, type Mongo, type QueryBuilder } from 'tsmicro/mongo'
import { unusedCovers } from '../cover/unused.ts'
import type { Announcements } from './announcements.ts'
import {
  type Blog,
  type BlogContent,
  type Change,
  type Cover,
  type CoverKeys,
  newBlog,
  type Publication,
  type PublicationSource,
  publicationFields,
} from './model.ts'

/** Selects what everybody may read. */
export const PUBLIC = { status: true, published: true } as const

/**
 * Single blogs in the collection `blogs`; for lists see list-repository.ts. Every change is one atomic operation whose filter
 * states its conditions, so that nothing can come between checking and changing. Null means that no blog met the conditions. What becomes
 * public, or is so no longer, is announced by the change itself.
 */
export class BlogRepository {
  readonly #mongo: Mongo
  readonly #blogs: QueryBuilder<Blog>
  readonly #announcements: Announcements

  constructor(mongo: Mongo, indexes: readonly IndexDefinition<Blog>[], announcements: Announcements) {
    this.#mongo = mongo
    this.#blogs = mongo.collection<Blog>('blogs', { indexes, aggregate: 'blog' })
    this.#announcements = announcements
  }

  /** Any blog that is not deleted. */
  find(id: string): Promise<Blog | null> {
    return this.#blogs.findOne(existing(id))
  }

  findPublic(id: string): Promise<Blog | null> {
    return this.#blogs.findOne({ ...PUBLIC, _id: new ObjectId(id) })
  }

  /** Finds a blog by its public slug or a former one, but not by the slug of a draft, which nobody has reviewed. */
  findPublicBySlug(slug: string): Promise<Blog | null> {
    return this.#blogs.findOne({ ...PUBLIC, slugs: slug, publicSlugs: slug })
  }

  /** A deleted blog of this author. */
  findRemoved(id: string, author: string): Promise<Blog | null> {
    return this.#blogs.findOne({ _id: new ObjectId(id), author, status: false })
  }

  /** A blog's place among published ones, even if it has been deleted; null if it was never published, or no blog has such an id. */
  async findPublication(id: string, signal?: AbortSignal): Promise<Publication | null> {
    if (!ObjectId.isValid(id)) return null
    const found = await this.#blogs.findOne({ _id: new ObjectId(id) }, { select: ['publishedAt'], signal })
    return found?.publishedAt ? { _id: found._id, publishedAt: found.publishedAt } : null
  }

  /** @throws {SLUG_TAKEN} if another blog has the slug; the unique index also decides between two concurrent requests */
  async create(content: BlogContent, author: string): Promise<Blog> {
    const blog = newBlog(new ObjectId(), content, author, new Date())
    await refuseTakenSlug(content.slug, () => this.#blogs.insertOne(blog))
    return blog
  }

  /**
   * Changes the draft of the author's own blog, which withdraws it from the editors. The revision changes only if the content
   * does. A slug that the draft no longer has is free for others, unless it was public.
   * @throws {SLUG_TAKEN}
   */
  change(id: string, author: string, { draftText, ...head }: Partial<BlogContent>): Promise<Blog | null> {
    const draft = { $mergeObjects: ['$draft', { $literal: head }] }
    const text = draftText === undefined ? '$draftText' : { $literal: draftText }
    const slug = head.slug === undefined ? '$draft.slug' : { $literal: head.slug }
    const same = { $and: [{ $eq: [draft, '$draft'] }, { $eq: [text, '$draftText'] }] }
    const { updatedBy, updatedAt } = stamp(author)
    const change = {
      draft,
      draftText: text,
      revision: { $cond: [same, '$revision', { $add: ['$revision', 1] }] },
      slugs: { $setUnion: ['$publicSlugs', [slug]] },
      submitted: false,
      drafted: true,
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    return refuseTakenSlug(head.slug, () => this.#compute({ ...existing(id), author }, change))
  }

  submit(id: string, author: string): Promise<Blog | null> {
    const change = { submitted: true, drafted: false, ...stamp(author) }
    return this.#blogs.findOneAndUpdate({ ...existing(id), author }, { $set: change })
  }

  /** Takes a submitted blog back from the editors. Changes nothing if it was not submitted. */
  withdraw(id: string, author: string): Promise<Blog | null> {
    const { updatedBy, updatedAt } = stamp(author)
    const change = {
      submitted: false,
      drafted: { $or: ['$drafted', '$submitted'] },
      updatedBy: { $cond: ['$submitted', { $literal: updatedBy }, '$updatedBy'] },
      updatedAt: { $cond: ['$submitted', updatedAt, '$updatedAt'] },
    }
    return this.#compute({ ...existing(id), author }, change)
  }

  /** The document and its slugs remain: old links must never lead to another author's blog. */
  async remove(id: string, author: string): Promise<Blog | null> {
    const { updatedBy, updatedAt } = stamp(author)
    const removal = { status: false, unusedCovers: unusedCovers([]), updatedBy: { $literal: updatedBy }, updatedAt }
    const own = { ...existing(id), author }
    // What was public once stays known as such, so the second filter matches what the first one does not.
    const secret = await this.#compute({ ...own, public: { $exists: false } }, removal)
    return (
      secret ??
      this.#announced(own => this.#announcements.deleted(id, own), { ...own, public: { $exists: true } }, removal)
    )
  }

  /**
   * Publishes the submitted draft if it is this revision. The server copies it, so an edit comes either entirely before, in
   * which case nothing is published, or entirely after.
   */
  async publish(id: string, editor: string, revision: number): Promise<Blog | null> {
    for (;;) {
      const blog = await this.#blogs.findOne(
        { ...existing(id), submitted: true, revision },
        { select: publicationFields },
      )
      if (!blog) return null
      const published = await this.#publish(blog, editor)
      // Otherwise it was published, unpublished or withdrawn in between.
      if (published) return published
    }
  }

  /** Publishes a blog unless it has changed since it was read: then another event may be right, or none. */
  #publish(blog: PublicationSource, editor: string): Promise<Blog | null> {
    const { _id, revision, published, public: head, publishedAt } = blog
    const { updatedBy, updatedAt } = stamp(editor)
    const change = {
      public: { $mergeObjects: ['$draft', { revision: '$revision' }] },
      text: '$draftText',
      unusedCovers: unusedCovers(['$draft.cover.key']),
      publicSlugs: { $setUnion: ['$publicSlugs', ['$draft.slug']] },
      published: true,
      submitted: false,
      drafted: false,
      publishedAt: { $ifNull: ['$publishedAt', updatedAt] },
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    const unchanged = { published, 'public.revision': head ? head.revision : { $exists: false } }
    const filter = { _id, status: true, submitted: true, revision, ...unchanged }
    if (published && head?.revision === revision) return this.#compute(filter, change)
    const announce = (own: Change) => this.#announcements.published(blog, publishedAt ?? updatedAt, own)
    return this.#announced(announce, filter, change)
  }

  /** What the author has submitted in the meantime stays submitted. */
  unpublish(id: string, editor: string): Promise<Blog | null> {
    const { updatedBy, updatedAt } = stamp(editor)
    const change = {
      published: false,
      drafted: { $not: ['$submitted'] },
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    const announce = (own: Change) => this.#announcements.unpublished(id, own)
    return this.#announced(announce, { ...existing(id), published: true }, change)
  }

  /** Notes that a cover is going to be stored under this key. */
  beginCover(id: string, author: string, key: string): Promise<Blog | null> {
    const coverUploads = { $setUnion: [{ $ifNull: ['$coverUploads', []] }, [key]] }
    return this.#compute({ ...existing(id), author }, { coverUploads })
  }

  /** Gives the draft a cover that has been stored; like `change` otherwise. */
  setCover(id: string, author: string, cover: Cover): Promise<Blog | null> {
    const same = { $eq: ['$draft.cover.sha256', cover.sha256] }
    const { updatedBy, updatedAt } = stamp(author)
    const change = {
      draft: { $cond: [same, '$draft', { $mergeObjects: ['$draft', { cover: { $literal: cover } }] }] },
      revision: { $cond: [same, '$revision', { $add: ['$revision', 1] }] },
      coverUploads: { $setDifference: ['$coverUploads', [cover.key]] },
      unusedCovers: unusedCovers([{ $cond: [same, '$draft.cover.key', cover.key] }, '$public.cover.key'], cover.key),
      submitted: false,
      drafted: true,
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    return this.#compute({ ...existing(id), author, coverUploads: cover.key }, change)
  }

  /** Takes the cover off the draft; like `change` otherwise. Null also if the draft has none. */
  removeCover(id: string, author: string): Promise<Blog | null> {
    const { updatedBy, updatedAt } = stamp(author)
    const change = {
      revision: { $add: ['$revision', 1] },
      unusedCovers: unusedCovers(['$public.cover.key']),
      submitted: false,
      drafted: true,
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    return this.#compute({ ...existing(id), author, 'draft.cover': { $exists: true } }, change, 'draft.cover')
  }

  /** Forgets covers that have been removed from the store. */
  async forgetCovers(_id: ObjectId, keys: readonly string[]): Promise<void> {
    const without = (field: string) => ({ $setDifference: [{ $ifNull: [field, []] }, keys] })
    const change = { coverUploads: without('$coverUploads'), unusedCovers: without('$unusedCovers') }
    await this.#compute({ _id }, change)
  }

  /** Blogs, also deleted ones, with covers that nobody needs. @param brokenOff uploads with smaller keys have ended */
  withUnusedCovers(brokenOff: string, limit: number): Promise<CoverKeys[]> {
    const filter = { $or: [{ unusedCovers: { $gt: '' } }, { coverUploads: { $lt: brokenOff } }] }
    return this.#blogs.find(filter, { select: ['coverUploads', 'unusedCovers'], limit })
  }

  /** An update whose values the server computes from the current document. Afterwards it removes the fields of `$unset`. */
  #compute(filter: Filter<Blog>, $set: Document, ...$unset: string[]): Promise<Blog | null> {
    const update = [{ $set }, ...($unset.length > 0 ? [{ $unset }] : [])]
    return this.#blogs.run(blogs => blogs.findOneAndUpdate(filter, update, { returnDocument: 'after' }))
  }

  /** The same, and what it announces. */
  #announced(announce: (change: Change) => Promise<void>, filter: Filter<Blog>, $set: Document): Promise<Blog | null> {
    return this.#mongo.change(async change => {
      await announce(change)
      return this.#blogs.findOneAndUpdate(filter, [{ $set }], { change })
    })
  }
}

/** Selects a blog that is not deleted. */
function existing(id: string): Filter<Blog> {
  return { _id: new ObjectId(id), status: true }
}

function stamp(userId: string): Pick<Blog, 'updatedBy' | 'updatedAt'> {
  return { updatedBy: userId, updatedAt: new Date() }
}

async function refuseTakenSlug<T>(slug: string | undefined, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    if (slug !== undefined && isDuplicateKey(cause, 'slugs')) throw new SLUG_TAKEN({ slug }, { cause })
    throw cause
  }
}
