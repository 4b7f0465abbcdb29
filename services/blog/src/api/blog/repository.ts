import { SLUG_TAKEN } from '@blog-platform/blog-contract'
import { type Document, ObjectId } from 'mongodb'
import { type IndexDefinition, isDuplicateKey, type Mongo, type QueryBuilder } from 'tsmicro/mongo'
import { type Blog, type BlogContent, newBlog, type Publication } from './model.ts'
import { existing, PUBLIC } from './queries.ts'

/**
 * Single blogs in the collection `blogs`; for lists see list-repository.ts. Every change is one atomic operation whose filter says what must hold,
 * so that nothing can come between the look and the change; null means that no blog was in the state asked for.
 */
export class BlogRepository {
  readonly #blogs: QueryBuilder<Blog>

  constructor(mongo: Mongo, indexes: readonly IndexDefinition<Blog>[]) {
    this.#blogs = mongo.collection<Blog>('blogs', { indexes })
  }

  /** Any blog that is not deleted. */
  find(id: string): Promise<Blog | null> {
    return this.#blogs.findOne(existing(id))
  }

  findPublic(id: string): Promise<Blog | null> {
    return this.#blogs.findOne({ ...PUBLIC, _id: new ObjectId(id) })
  }

  /** By the slug that is public, or one that was: not by that of a draft, which nobody has reviewed. */
  findPublicBySlug(slug: string): Promise<Blog | null> {
    return this.#blogs.findOne({ ...PUBLIC, slugs: slug, publicSlugs: slug })
  }

  /** A deleted blog of this author. */
  findRemoved(id: string, author: string): Promise<Blog | null> {
    return this.#blogs.findOne({ _id: new ObjectId(id), author, status: false })
  }

  /** Where a blog is or was among published ones, also of one that is deleted; null when it was never published. */
  async findPublication(id: string, signal?: AbortSignal): Promise<Publication | null> {
    const found = await this.#blogs.findOne({ _id: new ObjectId(id) }, { select: ['publishedAt'], signal })
    return found?.publishedAt ? { _id: found._id, publishedAt: found.publishedAt } : null
  }

  /** @throws {SLUG_TAKEN} when another blog has the slug: the unique index decides, also between two at once */
  async create(content: BlogContent, author: string): Promise<Blog> {
    const blog = newBlog(new ObjectId(), content, author, new Date())
    await refuseTakenSlug(content.slug, () => this.#blogs.insertOne(blog))
    return blog
  }

  /**
   * Changes the draft of an own blog; what an editor has been handed is thereby taken back. Only other content makes another
   * revision. A slug that the draft no longer has is free for others, unless it was public.
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

  /** Takes back what an editor has been handed; leaves as it is what was not. */
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

  /** The document stays, and so do its slugs: old links must never lead to another author's blog. */
  remove(id: string, author: string): Promise<Blog | null> {
    const change = { status: false, ...stamp(author) }
    return this.#blogs.findOneAndUpdate({ ...existing(id), author }, { $set: change })
  }

  /**
   * Makes the submitted draft public, if it is this revision. The server copies it, so an edit comes wholly before, and then
   * nothing is published, or wholly after.
   */
  publish(id: string, editor: string, revision: number): Promise<Blog | null> {
    const { updatedBy, updatedAt } = stamp(editor)
    const change = {
      public: { $mergeObjects: ['$draft', { revision: '$revision' }] },
      text: '$draftText',
      publicSlugs: { $setUnion: ['$publicSlugs', ['$draft.slug']] },
      published: true,
      submitted: false,
      drafted: false,
      publishedAt: { $ifNull: ['$publishedAt', updatedAt] },
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    return this.#compute({ ...existing(id), submitted: true, revision }, change)
  }

  /** What the author has handed in meanwhile stays handed in. */
  unpublish(id: string, editor: string): Promise<Blog | null> {
    const { updatedBy, updatedAt } = stamp(editor)
    const change = {
      published: false,
      drafted: { $not: ['$submitted'] },
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    return this.#compute({ ...existing(id), published: true }, change)
  }

  /** An update whose values the server computes from the document as it is at that moment. */
  #compute(filter: Parameters<QueryBuilder<Blog>['findOneAndUpdate']>[0], $set: Document): Promise<Blog | null> {
    return this.#blogs.run(blogs => blogs.findOneAndUpdate(filter, [{ $set }], { returnDocument: 'after' }))
  }
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
