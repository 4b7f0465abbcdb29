import { contract, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'
import { TOKEN_INVALID } from './errors.ts'
import { RoleName } from './roles.ts'
import { JsonWebKeySet } from './signing-keys.ts'
import { PublicProfile, UserId } from './user.ts'

/** The user a valid token belongs to. Roles are not included but asked for each time, so that a change applies at once. */
export const TokenUser = Type.Object({ ...PublicProfile.properties, sessionId: Type.String() })
export type TokenUser = Static<typeof TokenUser>

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
