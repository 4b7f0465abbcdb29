import { type AuthenticationProvider, type AuthorizationProvider, FORBIDDEN, UNAUTHENTICATED } from 'tsmicro'
import { defineRoles } from 'tsmicro/contract'

export const roles = defineRoles('READER', 'WRITER', 'ADMIN')

/** Tokens are `<user id>.<role>`. */
export const authentication: AuthenticationProvider = {
  async authenticate(token) {
    const [id, role] = token.split('.')
    if (!id || !role) throw new UNAUTHENTICATED()
    return { id, sessionId: role }
  },
}

export const authorization: AuthorizationProvider = {
  async authorize(user, role) {
    if (!roles.satisfies([user.sessionId ?? ''], role.role as 'READER')) throw new FORBIDDEN()
  },
}

export const bearer = (user: string) => ({ authorization: `Bearer ${user}` })
