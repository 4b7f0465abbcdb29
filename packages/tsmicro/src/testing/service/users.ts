import { randomUUID } from 'node:crypto'
import type { Principal } from '../../call/index.ts'
import type { Role } from '../../contract/index.ts'
import { FORBIDDEN, UNAUTHENTICATED } from '../../errors/index.ts'
import type { Providers } from '../../micro/index.ts'

/** Users that a test made up: each has a token that only this service and its fakes know. */
export class Users {
  readonly #users = new Map<string, Principal>()
  readonly #roles = new WeakMap<Principal, readonly Role[]>()

  /** @throws {TypeError} for a user without an id, or something that is not a role */
  add(user: Principal, roles: readonly Role[]): string {
    if (typeof user?.id !== 'string' || user.id === '') throw new TypeError('as: a user has an id: as({ id })')
    if (!roles.every(role => typeof role?.rank === 'number'))
      throw new TypeError('as: roles are those of defineRoles: as({ id }, roles.EDITOR)')
    const token = `test-${randomUUID()}`
    const known = { ...user }
    this.#users.set(token, known)
    this.#roles.set(known, roles)
    return token
  }

  /** Providers that know these users alone. */
  readonly providers: { readonly [K in keyof Providers]: NonNullable<Providers[K]> } = {
    authentication: {
      authenticate: async token => {
        const user = this.#users.get(token)
        if (!user) throw new UNAUTHENTICATED()
        return user
      },
    },
    authorization: {
      authorize: async (user, { rank }) => {
        if (!this.#roles.get(user)?.some(held => held.rank >= rank)) throw new FORBIDDEN()
      },
    },
  }

  /** The same, which ask those of the module for everybody else. */
  providersOf = ({ authentication, authorization }: Providers): Providers => ({
    authentication: authentication && {
      authenticate: (token, context) =>
        (this.#users.has(token) ? this.providers.authentication : authentication).authenticate(token, context),
    },
    authorization: authorization && {
      authorize: (user, role, context) =>
        (this.#roles.has(user) ? this.providers.authorization : authorization).authorize(user, role, context),
    },
  })
}
