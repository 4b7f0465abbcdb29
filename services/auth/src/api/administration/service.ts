import { LAST_ADMIN, type PrivateProfile, type RoleName, USER_NOT_FOUND } from '@blog-platform/auth-contract'
import type { RunInTransaction } from '../../database/connection.ts'
import { privateProfileOf } from '../user/dto.ts'
import type { UserRepository } from '../user/repository.ts'

/** What administrators do. */
export class AdministrationService {
  readonly #users: UserRepository
  readonly #transaction: RunInTransaction

  constructor(users: UserRepository, transaction: RunInTransaction) {
    this.#users = users
    this.#transaction = transaction
  }

  /**
   * Sets a user's roles; in force with the next request in every service, because roles are never read from tokens.
   * @throws {USER_NOT_FOUND}
   * @throws {LAST_ADMIN} when nobody else would be left with the role
   */
  setRoles(id: string, codes: readonly RoleName[]): Promise<PrivateProfile> {
    return this.#transaction(async db => {
      // Two administrators who revoke each other at the same time must not both succeed.
      const adminRole = await this.#users.lockRole('ADMIN', db)
      if (!(await this.#users.findById(id, db))) throw new USER_NOT_FOUND()
      if (!codes.includes('ADMIN') && !(await this.#users.isHeldByOthers(adminRole, id, db))) throw new LAST_ADMIN()
      await this.#users.setRoles(id, codes, db)
      const changed = await this.#users.findById(id, db)
      if (!changed) throw new USER_NOT_FOUND()
      return privateProfileOf(changed)
    })
  }
}
