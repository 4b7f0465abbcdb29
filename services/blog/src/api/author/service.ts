import { type PublicProfile, USER_NOT_FOUND } from '@blog-platform/auth-contract'
import { isDependencyFailure, SERVICE_UNAVAILABLE } from 'tsmicro'
import type { Author } from './model.ts'
import type { AuthorRepository } from './repository.ts'

export interface AuthorServiceOptions {
  readonly authors: AuthorRepository
  /** Asks the auth service. @throws {USER_NOT_FOUND} */
  readonly fetchProfile: (userId: string) => Promise<PublicProfile>
  /** Called after a profile was written: what was read with the old one is to be forgotten. */
  readonly onChange: (userId: string) => Promise<void>
}

/** Shown where the auth service says that an author's account is gone: the blog stays readable. Not stored. */
const UNKNOWN_NAME = 'Unknown author'

/** The public profiles of authors: told by events, kept here, asked for when missing. */
export class AuthorService {
  readonly #options: AuthorServiceOptions

  constructor(options: AuthorServiceOptions) {
    this.#options = options
  }

  /** @throws {SERVICE_UNAVAILABLE} or {DEADLINE_EXCEEDED} when it is not kept here and the auth service cannot tell now */
  async profileOf(userId: string): Promise<PublicProfile> {
    const known = await this.#options.authors.find(userId)
    return known ? toProfile(known) : this.#ask(userId)
  }

  /** The profile that is kept; the given one is kept when there is none. */
  async remember(profile: PublicProfile): Promise<PublicProfile> {
    const { authors } = this.#options
    return toProfile((await authors.find(profile.id)) ?? (await authors.addIfAbsent(toAuthor(profile))))
  }

  /** Takes a profile from an event. `version` counts the user's changes; without it, it only replaces uncounted ones. */
  async update(profile: PublicProfile, version: number | undefined): Promise<void> {
    await this.#options.authors.replaceIfNewer(toAuthor(profile, version))
    await this.#options.onChange(profile.id)
  }

  async #ask(userId: string): Promise<PublicProfile> {
    try {
      return await this.remember(await this.#options.fetchProfile(userId))
    } catch (cause) {
      if (cause instanceof USER_NOT_FOUND) return { id: userId, name: UNKNOWN_NAME }
      // Whatever else went wrong over there says nothing about the blog: try again later.
      throw isDependencyFailure(cause) ? cause : new SERVICE_UNAVAILABLE(undefined, { cause })
    }
  }
}

/** Without a version it is 0: anything counted is newer. */
function toAuthor({ id, name, profilePicUrl }: PublicProfile, version = 0): Author {
  return { _id: id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }), version }
}

function toProfile({ _id, name, profilePicUrl }: Author): PublicProfile {
  return { id: _id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
}
