import type { Role } from './roles.ts'

/**
 * Who may call a procedure. Mandatory: forgetting it does not compile.
 *
 * - `open`: anyone, even without an API key (the gateway lets it pass)
 * - `key`: anyone with a valid API key, which the gateway checks; if a service accepts only requests that the gateway has signed, the
 *   signature must cover the key's owner
 * - `user`: a signed-in user
 * - a {@link Role} made by `defineRoles`: a signed-in user with that role or a higher one
 * - `internal`: other services only; over HTTP, a request that came through a gateway gets a 404, and a service behind a gateway requires
 *   its `verifySecret`
 */
export type Access = 'open' | 'key' | 'user' | 'internal' | Role

const WORDS: readonly unknown[] = ['open', 'key', 'user', 'internal']

/** For contracts written in plain JavaScript, where no compiler reports a missing rule. */
export function isAccess(access: unknown): access is Access {
  return WORDS.includes(access) || (typeof access === 'object' && access !== null && 'role' in access)
}

/** True if an access rule requires a role. */
export function isRole(access: Access): access is Role {
  return typeof access === 'object'
}

/** True if the caller must be signed in: `user` or any role. */
export function needsUser(access: Access): boolean {
  return access === 'user' || isRole(access)
}
