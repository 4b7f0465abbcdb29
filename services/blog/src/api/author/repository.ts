import type { Mongo, QueryBuilder } from 'tsmicro/mongo'

/** A user's public profile as this service stores it in the collection `authors`. */
export interface Author {
  /** UUID of the user. */
  readonly _id: string
  readonly name: string
  readonly profilePicUrl?: string
  /** Number and time of the event that it is from. Without a time it is from before events were numbered by their source. */
  readonly version: number
  readonly announcedAt?: string
}

/** Later than any time. */
const UNKNOWN = '~'

/** The only code that talks to the collection `authors`, which is written by events alone. */
export class AuthorRepository {
  readonly #authors: QueryBuilder<Author>

  constructor(mongo: Mongo) {
    this.#authors = mongo.collection<Author>('authors')
  }

  find(userId: string): Promise<Author | null> {
    return this.#authors.findOne({ _id: userId })
  }

  /**
   * Stores a profile from an event. While a rebuild repeats old events, what is stored stays until it is the turn of the event that it is
   * from. A lower number at a later time is new: the source has been restored from a backup.
   */
  async put(author: Required<Pick<Author, 'announcedAt'>> & Author, event: object): Promise<void> {
    const isRepeated = {
      $and: [
        { $gt: ['$version', author.version] },
        { $gt: [{ $ifNull: ['$announcedAt', UNKNOWN] }, author.announcedAt] },
      ],
    }
    const update = [{ $replaceWith: { $cond: [isRepeated, '$$ROOT', { $literal: author }] } }]
    await this.#authors.updateOne({ _id: author._id }, update, { upsert: true, event })
  }
}
