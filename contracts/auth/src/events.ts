import { contract, event } from 'tsmicro/contract'
import Type from 'typebox'
import { RoleName } from './roles.ts'
import { UserId } from './user.ts'

const ApiKeyId = Type.String({ format: 'uuid' })
const SessionId = Type.String({ format: 'uuid', description: 'UUID of a session' })
/** Personal fields are never logged, and the user's events can be erased. */
const personal = { personal: true }
const shown = { userId: UserId, name: Type.String(personal), profilePicUrl: Type.Optional(Type.String(personal)) }

/** Changes to API keys. Gateways that listen refuse a revoked key at once. */
export const apiKeyEvents = contract('auth', {
  apiKeyRevoked: event({ subject: 'apikey.revoked', aggregate: 'apiKeyId', data: Type.Object({ apiKeyId: ApiKeyId }) }),
})

/** Sessions that were ended before their time: by signing out, by a stolen token, or by one session too many. */
export const sessionEvents = contract('auth', {
  sessionRevoked: event({
    subject: 'session.revoked',
    aggregate: 'sessionId',
    data: Type.Object({ sessionId: SessionId, userId: UserId }),
  }),
})

/** Changes to users. Each event has all that it is about, so that the latest one is enough. */
export const userEvents = contract('auth', {
  /** Also announces the current state of a user from before events were kept. */
  userCreated: event({
    subject: 'user.created',
    aggregate: 'userId',
    data: Type.Object({ ...shown, email: Type.String(personal), role: RoleName }),
  }),
  userUpdated: event({ subject: 'user.updated', aggregate: 'userId', data: Type.Object(shown) }),
  userRolesChanged: event({
    subject: 'user.roles.changed',
    aggregate: 'userId',
    data: Type.Object({ userId: UserId, roles: Type.Array(RoleName) }),
  }),
})
