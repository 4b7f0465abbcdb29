import Type, { type Static } from 'typebox'
import { RoleName } from './roles.ts'

export const UserId = Type.String({ format: 'uuid', description: 'UUID of a user' })
/** The format alone allows a quoted part before the @, with blanks and line breaks in it. */
export const Email = Type.String({ format: 'email', pattern: '^[^"]+$', maxLength: 320 })
export const Password = Type.String({ minLength: 6, maxLength: 100 })
export const UserName = Type.String({
  minLength: 2,
  maxLength: 200,
  pattern: '^[^\\s\\p{Cc}]([^\\p{Cc}\\p{Zl}\\p{Zp}]*[^\\s\\p{Cc}])?$',
  description: 'One line, no blanks at either end',
})
export const ProfilePicUrl = Type.String({ format: 'uri', pattern: '^https?://', maxLength: 500 })

/** What everybody may see of a user. */
export const PublicProfile = Type.Object({
  id: UserId,
  name: Type.String(),
  profilePicUrl: Type.Optional(Type.String()),
})
export type PublicProfile = Static<typeof PublicProfile>

const GrantedRole = Type.Object({ id: Type.String({ format: 'uuid' }), code: RoleName })

/** What users see of themselves after signing in. */
export const SignedInUser = Type.Object({
  id: UserId,
  email: Type.String(),
  name: Type.String(),
  roles: Type.Array(GrantedRole),
  profilePicUrl: Type.Optional(Type.String()),
})
export type SignedInUser = Static<typeof SignedInUser>

/** A user's own profile. */
export const PrivateProfile = Type.Object({ ...SignedInUser.properties, verified: Type.Boolean() })
export type PrivateProfile = Static<typeof PrivateProfile>
