import { randomUUID } from 'node:crypto'
import type { Log, Principal } from '../../call/index.ts'
import { proceduresOf, type Role } from '../../contract/index.ts'
import { FORBIDDEN, UNAUTHENTICATED } from '../../errors/index.ts'
import { assemble, type Implementation, type Providers } from '../../micro/index.ts'
import type { Loopback } from '../loopback/loopback.ts'

/** Users that a test makes up: each has a token that only this service and its fakes know. */
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

  /** Providers that know only these users. */
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

  /** Providers that know these users and leave all others to those of the module. */
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

interface FakesParts {
  readonly fakes: readonly Implementation[]
  /** The service under test, which cannot be a fake. */
  readonly tested: string
  readonly loopback: Loopback
  readonly users: Users
  readonly log: Log
}

/** Stand-ins for the services that the one under test calls. @throws {TypeError} when one of them is the service under test */
export function createFakes({ fakes, tested, loopback, users, log }: FakesParts) {
  const byService = Map.groupBy(fakes, ({ contract }) => proceduresOf(contract)[0]?.service ?? '')
  if (byService.has(tested)) throw new TypeError(`fakes: ${tested} is the service under test`)
  const services = [...byService].map(([name, handlers]) =>
    assemble(
      { name, version: '0.0.0', log, module: { nats: loopback.client(name, { log }), handlers, ...users.providers } },
      { providersOf: own => own, onTaken() {} },
    ),
  )
  return {
    names: [...byService.keys()],
    async start(): Promise<void> {
      for (const service of services) await service.start()
    },
    async stop(): Promise<void> {
      await Promise.all(services.map(service => service.stop()))
    },
  }
}
