import { contract, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'
import { LAST_ADMIN, TOKEN_INVALID, USER_NOT_FOUND } from './errors.ts'
import { RoleName, roles } from './roles.ts'

export const UserId = Type.String({ format: 'uuid', description: 'UUID of a user' })
/** The pattern is needed because the format alone allows a quoted part before the @, with spaces and line breaks in it. */
export const Email = Type.String({ format: 'email', pattern: '^[^"]+$', maxLength: 320 })
export const UserName = Type.String({
  minLength: 2,
  maxLength: 200,
  pattern: '^[^\\s\\p{Cc}]([^\\p{Cc}\\p{Zl}\\p{Zp}]*[^\\s\\p{Cc}])?$',
  description: 'One line, without spaces at either end',
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

export const ProfileChange = Type.Object(
  { name: Type.Optional(UserName), profilePicUrl: Type.Optional(ProfilePicUrl) },
  { minProperties: 1 },
)
export type ProfileChange = Static<typeof ProfileChange>

export const profile = contract('auth', {
  /** At both doors: clients read it over HTTP, other services over NATS. */
  publicProfile: procedure({
    http: 'GET /profile/id/:id',
    nats: 'profile.public',
    access: 'key',
    summary: 'What everybody may see of a user',
    input: Type.Object({ id: UserId }),
    output: PublicProfile,
    errors: { USER_NOT_FOUND },
    idempotent: true,
  }),
  myProfile: procedure({
    http: 'GET /profile/mine',
    access: 'user',
    summary: 'Your own profile, with your roles',
    output: PrivateProfile,
    errors: { TOKEN_INVALID },
    idempotent: true,
  }),
  changeMyProfile: procedure({
    http: 'PUT /profile/mine',
    access: 'user',
    summary: 'Change your name or picture',
    input: ProfileChange,
    output: PrivateProfile,
    errors: { TOKEN_INVALID },
    message: 'Profile changed',
    idempotent: true,
  }),
})

export const administration = contract('auth', {
  /** Not idempotent: administrators who give up their own role may not do it a second time. */
  setRoles: procedure({
    http: 'PUT /admin/users/:id/roles',
    access: roles.ADMIN,
    summary: 'Set the roles of a user: the ones named are granted, all others revoked',
    input: Type.Object({ id: UserId, roles: Type.Array(RoleName, { minItems: 1, maxItems: 4, uniqueItems: true }) }),
    output: PrivateProfile,
    errors: { USER_NOT_FOUND, LAST_ADMIN },
    message: 'Roles changed',
  }),
})
