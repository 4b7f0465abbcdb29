import { contract, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'
import { TOKEN_INVALID, USER_NOT_FOUND } from './errors.ts'
import { PrivateProfile, ProfilePicUrl, PublicProfile, UserId, UserName } from './user.ts'

export const ProfileChange = Type.Object(
  { name: Type.Optional(UserName), profilePicUrl: Type.Optional(ProfilePicUrl) },
  { minProperties: 1 },
)
export type ProfileChange = Static<typeof ProfileChange>

export const profile = contract('auth', {
  /** Both doors: clients read it over HTTP, other services over NATS. */
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
    summary: 'The own profile with roles',
    output: PrivateProfile,
    errors: { TOKEN_INVALID },
    idempotent: true,
  }),
  changeMyProfile: procedure({
    http: 'PUT /profile/mine',
    access: 'user',
    summary: 'Change name or picture',
    input: ProfileChange,
    output: PrivateProfile,
    errors: { TOKEN_INVALID },
    message: 'Profile changed',
    idempotent: true,
  }),
})
