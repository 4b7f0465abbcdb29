import { isDuplicateKey, type Mongo, type QueryBuilder } from 'tsmicro/mongo'
import type { Author } from './model.ts'

/** The only code that talks to the collection `authors`. */
export class AuthorRepository {
  readonly #authors: QueryBuilder<Author>

  constructor(mongo: Mongo) {
    this.#authors = mongo.collection<Author>('authors')
  }

  find(userId: string): Promise<Author | null> {
    return this.#authors.findOne({ _id: userId })
  }

  /** Keeps the profile unless there is one. @returns the one that is kept now */
  async addIfAbsent(author: Author): Promise<Author> {
    const { _id, ...profile } = author
    // The filter names the unique `_id` alone: one of two upserts at once may lose, and then finds what the other made.
    await ignoreDuplicate(() => this.#authors.updateOne({ _id }, { $setOnInsert: profile }, { upsert: true }))
    return (await this.find(_id)) ?? author
  }

  /** Keeps the profile unless a newer one is there; the order in which events arrive does not matter. */
  async replaceIfNewer({ _id, name, profilePicUrl, version }: Author): Promise<void> {
    const filter = { _id, version: version === 0 ? { $lte: 0 } : { $lt: version } }
    const change =
      profilePicUrl === undefined
        ? { $set: { name, version }, $unset: { profilePicUrl: '' as const } }
        : { $set: { name, version, profilePicUrl } }
    const fresh = await ignoreDuplicate(() => this.#authors.updateOne(filter, change, { upsert: true }))
    // The author was there: either with a newer profile, or put in by somebody else just now with an older one. Authors are
    // never deleted, so the same without upsert settles which.
    if (!fresh) await this.#authors.updateOne(filter, change)
  }
}

/** @returns false when the document was there */
async function ignoreDuplicate(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}
