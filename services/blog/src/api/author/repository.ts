import { isDuplicateKey, type Mongo, type QueryBuilder } from 'tsmicro/mongo'

/** A user's public profile as this service stores it in the collection `authors`. */
export interface Author {
  /** UUID of the user. */
  readonly _id: string
  readonly name: string
  readonly profilePicUrl?: string
  /** The auth service's count of changes to the user; 0 = unknown, so that every counted version is newer. */
  readonly version: number
}

/** The only code that talks to the collection `authors`. */
export class AuthorRepository {
  readonly #authors: QueryBuilder<Author>

  constructor(mongo: Mongo) {
    this.#authors = mongo.collection<Author>('authors')
  }

  find(userId: string): Promise<Author | null> {
    return this.#authors.findOne({ _id: userId })
  }

  /** Stores the profile if there is none. @returns the stored one */
  async addIfAbsent(author: Author): Promise<Author> {
    const { _id, ...profile } = author
    // The filter uses only the unique `_id`: if one of two concurrent upserts fails, it finds what the other one stored.
    await ignoreDuplicate(() => this.#authors.updateOne({ _id }, { $setOnInsert: profile }, { upsert: true }))
    return (await this.find(_id)) ?? author
  }

  /** Stores the profile unless a newer one is stored. The order in which events arrive does not matter. */
  async replaceIfNewer({ _id, name, profilePicUrl, version }: Author): Promise<void> {
    const filter = { _id, version: version === 0 ? { $lte: 0 } : { $lt: version } }
    const change =
      profilePicUrl === undefined
        ? { $set: { name, version }, $unset: { profilePicUrl: '' as const } }
        : { $set: { name, version, profilePicUrl } }
    const written = await ignoreDuplicate(() => this.#authors.updateOne(filter, change, { upsert: true }))
    // The author exists, either with a newer profile or with an older one that was inserted just now. Authors are never
    // deleted, so the same update without upsert handles both cases.
    if (!written) await this.#authors.updateOne(filter, change)
  }
}

/** @returns false if the document already exists */
async function ignoreDuplicate(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}
