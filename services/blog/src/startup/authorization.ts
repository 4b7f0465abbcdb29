import { roles, validation } from '@blog-platform/auth-contract'
import type { AuthorizationProvider, NatsClient } from 'tsmicro'
import { createRoleAuthorization } from 'tsmicro/auth'

/** May they? Asked of the auth service every time: a role that was withdrawn counts at once. */
export function createAuthorization(nats: NatsClient): AuthorizationProvider {
  return createRoleAuthorization({
    async hasRole({ id: userId }, { role: wanted }) {
      const role = roles.names.find(name => name === wanted)
      if (role === undefined) throw new TypeError(`the auth service knows no role ${wanted}`)
      return (await nats.client(validation).validateRole({ userId, role })).valid
    },
  })
}
