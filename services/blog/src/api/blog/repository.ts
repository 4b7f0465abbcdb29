import { SLUG_TAKEN } from '@blog-platform/blog-contract'
import { ObjectId } from 'mongodb'
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

  findPublicBySlug(slug: string): Promise<Blog | null> {
    return this.#blogs.findOne({ ...PUBLIC, slug })
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

  /** Changes an own blog; what an editor has been handed is thereby taken back. @throws {SLUG_TAKEN} */
  change(id: string, author: string, content: Partial<BlogContent>): Promise<Blog | null> {
    const change = { ...content, submitted: false, drafted: true, ...stamp(author) }
    return refuseTakenSlug(content.slug, () =>
      this.#blogs.findOneAndUpdate({ ...existing(id), author }, { $set: change }),
    )
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
    return this.#blogs.run(blogs =>
      blogs.findOneAndUpdate({ ...existing(id), author }, [{ $set: change }], { returnDocument: 'after' }),
    )
  }

  /** The document stays, and so does its slug: old links must never lead to another author's blog. */
  remove(id: string, author: string): Promise<Blog | null> {
    const change = { status: false, ...stamp(author) }
    return this.#blogs.findOneAndUpdate({ ...existing(id), author }, { $set: change })
  }

  /** Makes the submitted draft the public text; the server copies it, so an edit comes wholly before or wholly after. */
  publish(id: string, editor: string): Promise<Blog | null> {
    const { updatedBy, updatedAt } = stamp(editor)
    const change = {
      text: '$draftText',
      published: true,
      submitted: false,
      drafted: false,
      publishedAt: { $ifNull: ['$publishedAt', updatedAt] },
      updatedBy: { $literal: updatedBy },
      updatedAt,
    }
    return this.#blogs.run(blogs =>
      blogs.findOneAndUpdate({ ...existing(id), submitted: true }, [{ $set: change }], { returnDocument: 'after' }),
    )
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
    return this.#blogs.run(blogs =>
      blogs.findOneAndUpdate({ ...existing(id), published: true }, [{ $set: change }], { returnDocument: 'after' }),
    )
  }
}

function stamp(userId: string): Pick<Blog, 'updatedBy' | 'updatedAt'> {
  return { updatedBy: userId, updatedAt: new Date() }
}

async function refuseTakenSlug<T>(slug: string | undefined, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    if (slug !== undefined && isDuplicateKey(cause, 'slug')) throw new SLUG_TAKEN({ slug }, { cause })
    throw cause
  }
}
