import { type Access, isRole, needsUser } from '../contract/index.ts'
import { FORBIDDEN, UNAUTHENTICATED } from '../errors/index.ts'
import type { CallContext } from './context.ts'
import type { Principal } from './principal.ts'
import type { AuthenticationProvider, AuthorizationProvider } from './providers.ts'

/** Finds out who calls and whether they may; resolves to the user. */
export type Guard = (context: CallContext) => Promise<Principal>

/**
 * The guard of an access rule; `undefined` where nobody has to be asked, so that such calls pay nothing.
 * @throws {TypeError} when it needs a provider that is not there
 */
export function guardOf(
  access: Access,
  authentication: AuthenticationProvider | undefined,
  authorization: AuthorizationProvider | undefined,
): Guard | undefined {
  if (!needsUser(access)) return undefined
  const missing = missingProvider(access, authentication, authorization)
  if (!authentication || missing) throw new TypeError(`${missing} is missing`)
  return async context => {
    if (context.token === undefined) throw new UNAUTHENTICATED()
    const user: Partial<Principal> | undefined = await authentication.authenticate(context.token, context)
    if (!isKnown(user)) throw new TypeError('authenticate() found no user: resolve { id }, or throw UNAUTHENTICATED')
    if (isRole(access)) {
      // A provider in plain JavaScript may answer instead of throwing: a no must not pass for a yes. Nor must nobody's silence.
      const answer: unknown = authorization ? await authorization.authorize(user, access, context) : false
      if (answer === false) throw new FORBIDDEN()
    }
    return user
  }
}

/** Otherwise the handler would run for nobody. */
function isKnown(user: Partial<Principal> | undefined): user is Principal {
  return typeof user?.id === 'string' && user.id !== ''
}

/** The provider that an access rule needs and does not have; `undefined` when it has all. */
export function missingProvider(
  access: Access,
  authentication: Partial<AuthenticationProvider> | undefined,
  authorization: Partial<AuthorizationProvider> | undefined,
): 'authentication' | 'authorization' | undefined {
  if (!needsUser(access)) return undefined
  if (typeof authentication?.authenticate !== 'function') return 'authentication'
  return isRole(access) && typeof authorization?.authorize !== 'function' ? 'authorization' : undefined
}
