import type { AuthenticationProvider, AuthorizationProvider, CallContext, Principal } from '../call/index.ts'
import type { Role } from '../contract/index.ts'
import { FORBIDDEN, UNAUTHENTICATED } from '../errors/index.ts'
import { type TokenClaims, TokenError } from './tokens/claims.ts'
import type { TokenVerifier } from './tokens/verifier.ts'

interface TokenAuthenticationOptions {
  readonly verifier: TokenVerifier
  /**
   * Called once signature, issuer, audience and times have been checked: who is it, and is the session still alive? Resolve to
   * `undefined` if it is not. A failure to find out must be thrown, never be reported as "not valid".
   */
  readonly confirm: (token: string, claims: TokenClaims, context: CallContext) => Promise<Principal | undefined>
}

/**
 * Authentication by access token. The signature is checked first, so that a forged token causes no further call.
 *
 * @example
 * const authentication: AuthenticationProvider = createTokenAuthentication({
 *   verifier,
 *   confirm: token => sessions.getOrSet(hash(token), () => nats.client(validation).validateToken({ token })),
 * })
 */
export function createTokenAuthentication({ verifier, confirm }: TokenAuthenticationOptions): AuthenticationProvider {
  return {
    async authenticate(token, context) {
      const claims = await verifier.verify(token, { type: 'access' }).catch(cause => {
        if (cause instanceof TokenError) throw new UNAUTHENTICATED(undefined, { cause })
        throw cause
      })
      const user = await confirm(token, claims, context)
      if (!user) throw new UNAUTHENTICATED()
      return user
    },
  }
}

interface RoleAuthorizationOptions {
  /** Whether the user has the role or a higher one, now. Roles are never read from a token. */
  readonly hasRole: (user: Principal, role: Role, context: CallContext) => Promise<boolean>
}

/**
 * Authorization by role.
 *
 * @example
 * const authorization: AuthorizationProvider = createRoleAuthorization({
 *   hasRole: async (user, { role }) => (await nats.client(validation).validateRole({ userId: user.id, role })).valid,
 * })
 */
export function createRoleAuthorization({ hasRole }: RoleAuthorizationOptions): AuthorizationProvider {
  return {
    async authorize(user, role, context) {
      // Only `true` counts: an answer like `{ valid: false }` is truthy.
      if ((await hasRole(user, role, context)) !== true) throw new FORBIDDEN()
    },
  }
}
