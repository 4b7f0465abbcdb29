import type { AuthenticationProvider, AuthorizationProvider, CallContext, Principal } from '../call/index.ts'
import type { Role } from '../contract/index.ts'
import { FORBIDDEN, UNAUTHENTICATED } from '../errors/index.ts'
import { type TokenClaims, TokenError, type TokenVerifier } from './tokens/index.ts'

export interface TokenAuthenticationOptions {
  readonly verifier: TokenVerifier
  /**
   * Asked once signature, issuer, audience and times are found good: who is it, and does the session still live? Resolve
   * `undefined` when it does not. Failures of what it asks must reach the caller as they are, never as "not valid".
   */
  readonly confirm: (token: string, claims: TokenClaims, context: CallContext) => Promise<Principal | undefined>
}

/**
 * Authentication by access token: the signature is checked here, so that a forged token costs nobody a question.
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

export interface RoleAuthorizationOptions {
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
      // Only a plain yes: an answer like `{ valid: false }` is true to JavaScript.
      if ((await hasRole(user, role, context)) !== true) throw new FORBIDDEN()
    },
  }
}
