import {
  LAST_ADMIN,
  type PrivateProfile,
  type ProfileChange,
  type PublicProfile,
  type RoleName,
  TOKEN_INVALID,
  USER_NOT_FOUND,
} from '@blog-platform/auth-contract'
import type { RunInTransaction } from '../../database.ts'
import { privateProfileOf, publicProfileOf } from './model.ts'
import type { UserRepository } from './repository.ts'

/** The profiles and roles of users. */
export class UserService {
  readonly #users: UserRepository
  readonly #transaction: RunInTransaction

  constructor(users: UserRepository, transaction: RunInTransaction) {
    this.#users = users
    this.#transaction = transaction
  }

  /** @throws {USER_NOT_FOUND} */
  async publicProfile(id: string): Promise<PublicProfile> {
    const user = await this.#users.findById(id)
    if (!user) throw new USER_NOT_FOUND()
    return publicProfileOf(user)
  }

  /** @throws {TOKEN_INVALID} if the account has been closed since the token was checked */
  async changeProfile(id: string, change: ProfileChange): Promise<PrivateProfile> {
    const user = await this.#transaction(db => this.#users.changeProfile(id, change, db))
    if (!user) throw new TOKEN_INVALID()
    return privateProfileOf(user)
  }

  /**
   * Sets a user's roles. They apply from the next request on in every service, because roles are never read from tokens.
   * @throws {USER_NOT_FOUND}
   * @throws {LAST_ADMIN} if the user is the only administrator left and would lose the role
   */
  setRoles(id: string, codes: readonly RoleName[]): Promise<PrivateProfile> {
    return this.#transaction(async db => {
      // Two administrators who revoke each other's role at the same time must not both succeed.
      const adminRole = await this.#users.lockRole('ADMIN', db)
      if (!(await this.#users.findById(id, db))) throw new USER_NOT_FOUND()
      if (!codes.includes('ADMIN') && !(await this.#users.isHeldByOthers(adminRole, id, db))) throw new LAST_ADMIN()
      const changed = await this.#users.setRoles(id, codes, db)
      if (!changed) throw new USER_NOT_FOUND()
      return privateProfileOf(changed)
    })
  }
}
