import type { PrivateProfile, PublicProfile, RoleName, SignedInUser } from '@blog-platform/auth-contract'
import type { Principal } from 'tsmicro'

/** A user with the roles granted. It does not include the password hash, which only sign-in reads. */
export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly profilePicUrl: string | undefined
  readonly verified: boolean
  readonly roles: readonly { readonly id: string; readonly code: RoleName }[]
}

declare module 'tsmicro' {
  interface Principal {
    /** The caller's account, as of the check of the token. */
    readonly account?: User
  }
}

/** The account of who calls this service. */
export function accountOf({ account }: Principal): User {
  if (account === undefined) throw new Error('the authenticated user has no account')
  return account
}

export interface NewUser {
  readonly email: string
  readonly passwordHash: string
  readonly name: string
  readonly profilePicUrl?: string | undefined
  readonly role: RoleName
}

export function publicProfileOf({
  id,
  name,
  profilePicUrl,
}: Pick<User, 'id' | 'name' | 'profilePicUrl'>): PublicProfile {
  return { id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
}

export function signedInUserOf(user: User): SignedInUser {
  return { ...publicProfileOf(user), email: user.email, roles: user.roles.map(role => ({ ...role })) }
}

export function privateProfileOf(user: User): PrivateProfile {
  return { ...signedInUserOf(user), verified: user.verified }
}
