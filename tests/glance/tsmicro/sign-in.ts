import { type AuthenticationProvider, type AuthorizationProvider, FORBIDDEN, UNAUTHENTICATED } from 'tsmicro'
import { defineRoles } from 'tsmicro/contract'

export const roles = defineRoles('LEARNER', 'EDITOR')

/** Stands for the application's sign-in: the token says which role the user has. */
export const authentication: AuthenticationProvider = {
  async authenticate(token) {
    if (!roles.names.some(role => role === token)) throw new UNAUTHENTICATED()
    return { id: token }
  },
}

export const authorization: AuthorizationProvider = {
  async authorize(user, { role }) {
    if (!roles.satisfies([user.id], role)) throw new FORBIDDEN()
  },
}
