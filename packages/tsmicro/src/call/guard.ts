import { type Access, isRole, needsUser } from '../contract/index.ts'
import { UNAUTHENTICATED } from '../errors/index.ts'
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
    const user = await authentication.authenticate(context.token, context)
    if (isRole(access)) await authorization.authorize(user, access, context)
    return user
  }
}
