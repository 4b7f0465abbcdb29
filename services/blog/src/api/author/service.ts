import { type PublicProfile, USER_NOT_FOUND } from '@blog-platform/auth-contract'
import { isDependencyFailure, SERVICE_UNAVAILABLE } from 'tsmicro'
import type { Author, AuthorRepository } from './repository.ts'

export interface AuthorServiceOptions {
  readonly authors: AuthorRepository
  /** Asks the auth service. @throws {USER_NOT_FOUND} */
  readonly fetchProfile: (userId: string) => Promise<PublicProfile>
  /** Called after a profile was, or may have been, written, to drop what was cached with the old one. */
  readonly onChange: (userId: string) => Promise<void>
}

/** Shown if the auth service says that an author's account no longer exists: the blog stays readable. Not stored. */
const UNKNOWN_NAME = 'Unknown author'

/** The public profiles of authors. Events keep them up to date; a missing one is fetched from the auth service. */
export class AuthorService {
  readonly #options: AuthorServiceOptions

  constructor(options: AuthorServiceOptions) {
    this.#options = options
  }

  /** @throws {SERVICE_UNAVAILABLE | DEADLINE_EXCEEDED} if it is not stored here and the auth service cannot answer now */
  async profileOf(userId: string): Promise<PublicProfile> {
    const known = await this.#options.authors.find(userId)
    return known ? toProfile(known) : this.#ask(userId)
  }

  /** Returns the stored profile. Stores the given one if there is none. */
  async remember(profile: PublicProfile): Promise<PublicProfile> {
    const { authors } = this.#options
    return toProfile((await authors.find(profile.id)) ?? (await authors.addIfAbsent(toAuthor(profile))))
  }

  /** Takes a profile from an event. `version` counts the user's changes. Without it, only profiles without one are replaced. */
  async update(profile: PublicProfile, version: number | undefined): Promise<void> {
    try {
      await this.#options.authors.replaceIfNewer(toAuthor(profile, version))
    } finally {
      // A write whose answer was lost may have happened.
      await this.#options.onChange(profile.id)
    }
  }

  async #ask(userId: string): Promise<PublicProfile> {
    try {
      return await this.remember(await this.#options.fetchProfile(userId))
    } catch (cause) {
      if (cause instanceof USER_NOT_FOUND) return { id: userId, name: UNKNOWN_NAME }
      // Any other failure of the auth service says nothing about the blog, so the client should try again later.
      throw isDependencyFailure(cause) ? cause : new SERVICE_UNAVAILABLE(undefined, { cause })
    }
  }
}

/** Without a version it is 0, so that every counted version is newer. */
function toAuthor({ id, name, profilePicUrl }: PublicProfile, version = 0): Author {
  return { _id: id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }), version }
}

function toProfile({ _id, name, profilePicUrl }: Author): PublicProfile {
  return { id: _id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
}
