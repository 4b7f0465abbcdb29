import type { Role } from './roles.ts'

/**
 * Who may call a procedure. Mandatory: forgetting it does not compile.
 *
 * - `open`: anyone, even without an API key (the gateway lets it pass)
 * - `key`: anyone with a valid API key, which the gateway checks; where a service takes only what the gateway has signed, it must
 *   have signed whose key it was
 * - `user`: a signed-in user
 * - a {@link Role} made by `defineRoles`: a signed-in user with that role or a higher one
 * - `internal`: other services only; over HTTP a request that came through a gateway is answered 404, and a service behind one wants
 *   its `verifySecret`
 */
export type Access = 'open' | 'key' | 'user' | 'internal' | Role

const WORDS: readonly unknown[] = ['open', 'key', 'user', 'internal']

/** For contracts written in plain JavaScript, where forgetting it would compile. */
export function isAccess(access: unknown): access is Access {
  return WORDS.includes(access) || (typeof access === 'object' && access !== null && 'role' in access)
}

/** True for an access rule that asks for a role. */
export function isRole(access: Access): access is Role {
  return typeof access === 'object'
}

/** True when a caller must be known by name: `user` or any role. */
export function needsUser(access: Access): boolean {
  return access === 'user' || isRole(access)
}
