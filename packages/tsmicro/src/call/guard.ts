import { type Access, isRole, needsUser } from '../contract/index.ts'
import { FORBIDDEN, UNAUTHENTICATED } from '../errors/index.ts'
import type { CallContext } from './context.ts'
import type { Principal } from './principal.ts'
import type { AuthenticationProvider, AuthorizationProvider } from './providers.ts'

/** Finds out who calls and whether they may; resolves to the user. */
export type Guard = (context: CallContext) => Promise<Principal>

/** The guard of an access rule; `undefined` where nobody has to be asked, so that such calls pay nothing. */
export function guardOf(
  access: Access,
  authentication: AuthenticationProvider,
  authorization: AuthorizationProvider,
): Guard | undefined {
  if (!needsUser(access)) return undefined
  return async context => {
    if (context.token === undefined) throw new UNAUTHENTICATED()
    const user: Partial<Principal> | undefined = await authentication.authenticate(context.token, context)
    if (!isKnown(user)) throw new TypeError('authenticate() found no user: resolve { id }, or throw UNAUTHENTICATED')
    if (isRole(access)) {
      // A provider in plain JavaScript may answer instead of throwing: a no must not pass for a yes.
      const answer: unknown = await authorization.authorize(user, access, context)
      if (answer === false) throw new FORBIDDEN()
    }
    return user
  }
}

/** Otherwise the handler would run for nobody. */
function isKnown(user: Partial<Principal> | undefined): user is Principal {
  return typeof user?.id === 'string' && user.id !== ''
}

/** What a controller lacks for an access rule; `undefined` when nothing. */
export function missingProvider(
  access: Access,
  authentication: Partial<AuthenticationProvider> | undefined,
  authorization: Partial<AuthorizationProvider> | undefined,
): string | undefined {
  if (!needsUser(access)) return undefined
  if (typeof authentication?.authenticate !== 'function') return 'an authentication provider'
  return isRole(access) && typeof authorization?.authorize !== 'function' ? 'an authorization provider' : undefined
}
