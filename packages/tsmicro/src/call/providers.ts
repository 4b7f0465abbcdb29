import type { Role } from '../contract/index.ts'
import type { CallContext } from './context.ts'
import type { Principal } from './principal.ts'

/** Who is it? Pluggable: a service decides how tokens are verified. */
export interface AuthenticationProvider {
  /**
   * @param token the bearer token, not yet verified
   * @throws {UNAUTHENTICATED} when the token is not good
   * @throws {SERVICE_UNAVAILABLE} or {DEADLINE_EXCEEDED} when that cannot be found out now
   */
  authenticate(token: string, context: CallContext): Promise<Principal>
}

/** May they? Pluggable: a service decides where roles come from. */
export interface AuthorizationProvider {
  /**
   * @throws {FORBIDDEN} when the user has neither the role nor a higher one
   * @throws {SERVICE_UNAVAILABLE} or {DEADLINE_EXCEEDED} when that cannot be found out now
   */
  authorize(user: Principal, role: Role, context: CallContext): Promise<void>
}
