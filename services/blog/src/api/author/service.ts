import { type PublicProfile, USER_NOT_FOUND } from '@blog-platform/auth-contract'
import { isDependencyFailure, type ReceivedEvent, SERVICE_UNAVAILABLE } from 'tsmicro'
import type { Cache } from 'tsmicro/cache'
import type { Author, AuthorRepository } from './repository.ts'

export interface AuthorServiceOptions {
  readonly authors: AuthorRepository
  /** Asks the auth service. @throws {USER_NOT_FOUND} */
  readonly fetchProfile: (userId: string) => Promise<PublicProfile>
  /** Profiles that events have told. */
  readonly cache: Cache<PublicProfile | undefined>
  /** Called after a profile was, or may have been, written, to drop what was cached with the old one. */
  readonly onChange: (userId: string) => Promise<void>
}

/** Shown if the auth service says that an author's account no longer exists: the blog stays readable. */
const UNKNOWN_NAME = 'Unknown author'

/**
 * The public profiles of authors, as events have told. Whose event has not come yet is asked for each time, and not stored: only events are
 * in order.
 */
export class AuthorService {
  readonly #options: AuthorServiceOptions

  constructor(options: AuthorServiceOptions) {
    this.#options = options
  }

  /**
   * For what is not cached itself: the current profile, from the cache if possible.
   * @param current what the auth service has said just now
   * @throws {SERVICE_UNAVAILABLE | DEADLINE_EXCEEDED} if it is not known here and the auth service cannot answer now
   */
  async profileOf(userId: string, current?: PublicProfile): Promise<PublicProfile> {
    const known = await this.#options.cache.getOrSet(userId, () => this.#find(userId))
    return known ?? current ?? this.#ask(userId)
  }

  /**
   * For what is about to be cached. Not from the cache: another instance may just have dropped the old profile from Redis, and must not find
   * it there again within something newer.
   * @throws {SERVICE_UNAVAILABLE | DEADLINE_EXCEEDED} as {@link profileOf}
   */
  async readProfileOf(userId: string): Promise<PublicProfile> {
    return (await this.#find(userId)) ?? this.#ask(userId)
  }

  /** Takes a profile from an event. */
  async update({ id: _id, ...profile }: PublicProfile, event: ReceivedEvent): Promise<void> {
    const { aggregateSequence: version = 0, time: announcedAt } = event
    try {
      await this.#options.authors.put({ _id, ...profile, version, announcedAt }, event)
    } finally {
      // A write whose answer was lost may have happened. Both begin at once, so that together they cost one message.
      await Promise.all([this.#options.cache.delete(_id), this.#options.onChange(_id)])
    }
  }

  async #find(userId: string): Promise<PublicProfile | undefined> {
    const author = await this.#options.authors.find(userId)
    return author ? toProfile(author) : undefined
  }

  async #ask(userId: string): Promise<PublicProfile> {
    try {
      return await this.#options.fetchProfile(userId)
    } catch (cause) {
      if (cause instanceof USER_NOT_FOUND) return { id: userId, name: UNKNOWN_NAME }
      // Any other failure of the auth service says nothing about the blog, so the client should try again later.
      throw isDependencyFailure(cause) ? cause : new SERVICE_UNAVAILABLE(undefined, { cause })
    }
  }
}

function toProfile({ _id, name, profilePicUrl }: Author): PublicProfile {
  return { id: _id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
}
