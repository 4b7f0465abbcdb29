import { contract, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'
import { TOKEN_INVALID } from './errors.ts'
import { RoleName } from './roles.ts'
import { JsonWebKeySet } from './signing-keys.ts'
import { PublicProfile, UserId } from './user.ts'

/** The user a valid token belongs to. */
export const TokenUser = Type.Object({ ...PublicProfile.properties, sessionId: Type.String() })
export type TokenUser = Static<typeof TokenUser>

const ChangeNumber = Type.Integer({ minimum: 0 })

/** What a valid token permits, as of one moment. */
export const GrantedAccess = Type.Object({
  user: Type.Object({ id: UserId, profile: PublicProfile }),
  sessionId: Type.String(),
  // Text, as services that are deployed later do not know a new role.
  roles: Type.Array(Type.String()),
  number: Type.Integer({ minimum: 0, description: 'The latest change that this contains' }),
  endsInMs: Type.Number({ description: 'Milliseconds until the session ends, if nothing changes' }),
})
export type GrantedAccess = Static<typeof GrantedAccess>

/** One of the changes to sessions, users and keys. */
export const AccessPosition = Type.Object({
  number: ChangeNumber,
  mark: Type.String({ format: 'uuid', description: 'Random, so that a restored backup is noticed' }),
})
export type AccessPosition = Static<typeof AccessPosition>

export const AccessChanges = Type.Object({
  position: AccessPosition,
  changes: Type.Array(
    Type.Object({
      number: ChangeNumber,
      kind: Type.String({
        description: 'session, user, key or apikey; of anything else, everything has to be forgotten',
      }),
      id: Type.String(),
    }),
  ),
  startOver: Type.Boolean({ description: 'Everything has to be forgotten; the changes are the withdrawn keys' }),
})
export type AccessChanges = Static<typeof AccessChanges>

/** What other services ask before they act on behalf of a user. */
export const validation = contract('auth', {
  validateToken: procedure({
    nats: 'validate.token',
    access: 'internal',
    summary: 'Check the signature, expiry and session of an access token',
    input: Type.Object({ token: Type.String({ minLength: 1, maxLength: 8192 }) }),
    output: TokenUser,
    errors: { TOKEN_INVALID },
    idempotent: true,
  }),
  verifyAccess: procedure({
    nats: 'access.verify',
    access: 'internal',
    summary: 'What an access token permits; to be kept only as long as accessChanges is answered',
    input: Type.Object({ token: Type.String({ minLength: 1, maxLength: 8192 }) }),
    output: Type.Object({ granted: Type.Optional(GrantedAccess) }),
    idempotent: true,
  }),
  accessChanges: procedure({
    nats: 'access.changes',
    access: 'internal',
    summary: 'What has changed since a position, read after the question has arrived',
    input: Type.Object({ since: Type.Optional(AccessPosition) }),
    output: AccessChanges,
    idempotent: true,
  }),
  validateRole: procedure({
    nats: 'validate.role',
    access: 'internal',
    summary: 'Whether a user has a role or a higher one',
    input: Type.Object({ userId: UserId, role: RoleName }),
    output: Type.Object({ valid: Type.Boolean() }),
    idempotent: true,
  }),
  publicKeys: procedure({
    nats: 'keys',
    access: 'internal',
    summary: 'The keys that verify tokens',
    output: JsonWebKeySet,
    idempotent: true,
  }),
})
