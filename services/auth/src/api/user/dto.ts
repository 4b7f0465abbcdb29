import type { PrivateProfile, PublicProfile, SignedInUser } from '@blog-platform/auth-contract'
import type { User } from './model.ts'

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
