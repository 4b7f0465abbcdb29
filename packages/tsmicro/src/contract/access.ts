import type { Role } from './roles.ts'

/**
 * Who may call a procedure. Mandatory: forgetting it does not compile.
 *
 * - `open`: anyone, even without an API key (the gateway lets it pass)
 * - `key`: anyone with a valid API key, which the gateway checks; if a service accepts only requests that the gateway has signed, the
 *   signature must cover the key's owner
 * - `user`: a signed-in user
 * - a {@link Role} made by `defineRoles`: a signed-in user with that role or a higher one
 * - `{ ownerOr: role }`: a signed-in user who owns what the call is about, or has that role or a higher one. Only the handler knows the owner,
 *   so it has to call `authorize({ owner })`: if it succeeds without that, the answer is a 500
 * - `internal`: other services only; over HTTP, a request that came through a gateway gets a 404, and a service behind a gateway requires
 *   its `verifySecret`
 */
export type Access = 'open' | 'key' | 'user' | 'internal' | Role | OwnerRule

interface OwnerRule {
  readonly ownerOr: Role
}

const WORDS: readonly unknown[] = ['open', 'key', 'user', 'internal']

/** For contracts written in plain JavaScript, where no compiler reports a missing rule; undefined if there is one. */
export function whyNotAccess(access: unknown): string | undefined {
  const { role, ownerOr } = Object(access)
  if (WORDS.includes(access) || (ownerOr ?? { role }).role) return undefined
  return 'access is missing: open, key, user, internal, a role or { ownerOr }'
}

/** True if an access rule requires a role of every caller. */
export function isRole(access: Access): access is Role {
  return typeof access === 'object' && 'role' in access
}

/** The role that every caller needs who is not the owner; undefined if an access rule says nothing about owners. */
export function roleBesideOwner(access: Access): Role | undefined {
  return typeof access === 'object' && 'ownerOr' in access ? access.ownerOr : undefined
}

/** True if the caller must be signed in: `user`, any role, or the owner. */
export function needsUser(access: Access): boolean {
  return access === 'user' || typeof access === 'object'
}

/** The rule in words, e.g. `user`, `EDITOR` or `owner or EDITOR`. */
export function nameOfAccess(access: Access): string {
  if (typeof access === 'string') return access
  return isRole(access) ? access.role : `owner or ${access.ownerOr.role}`
}
