import {
  type PrivateProfile,
  type ProfileChange,
  type PublicProfile,
  TOKEN_INVALID,
  USER_NOT_FOUND,
} from '@blog-platform/auth-contract'
import type { UserAnnouncements } from '../user/announcements.ts'
import { privateProfileOf, publicProfileOf } from '../user/dto.ts'
import type { UserRepository } from '../user/repository.ts'

/** What is known of users, for everybody and for themselves. */
export class ProfileService {
  readonly #users: UserRepository
  readonly #announcements: UserAnnouncements

  constructor(users: UserRepository, announcements: UserAnnouncements) {
    this.#users = users
    this.#announcements = announcements
  }

  /** @throws {USER_NOT_FOUND} */
  async publicProfile(id: string): Promise<PublicProfile> {
    const user = await this.#users.findById(id)
    if (!user) throw new USER_NOT_FOUND()
    return publicProfileOf(user)
  }

  /** @throws {TOKEN_INVALID} when the account was closed since the token was checked */
  async privateProfile(id: string): Promise<PrivateProfile> {
    const user = await this.#users.findById(id)
    if (!user) throw new TOKEN_INVALID()
    return privateProfileOf(user)
  }

  /** @throws {TOKEN_INVALID} when the account was closed since the token was checked */
  async change(id: string, change: ProfileChange): Promise<PrivateProfile> {
    const user = await this.#users.changeProfile(id, change)
    if (!user) throw new TOKEN_INVALID()
    await this.#announcements.updated(user)
    return privateProfileOf(user)
  }
}
