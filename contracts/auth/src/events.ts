import { contract, event } from 'tsmicro/contract'
import Type from 'typebox'
import { RoleName } from './roles.ts'
import { UserId } from './user.ts'

const profilePicUrl = Type.Optional(Type.String())

/** Changes to API keys. Gateways that listen refuse a revoked key at once. */
export const apiKeyEvents = contract('auth', {
  apiKeyRevoked: event({
    subject: 'apikey.revoked',
    aggregate: 'apiKeyId',
    data: Type.Object({ apiKeyId: Type.String({ format: 'uuid' }) }),
  }),
})

/** Changes to users. The sequence number of each event is the user's version. */
export const userEvents = contract('auth', {
  userCreated: event({
    subject: 'user.created',
    aggregate: 'userId',
    data: Type.Object({ userId: UserId, email: Type.String(), name: Type.String(), role: RoleName, profilePicUrl }),
  }),
  userUpdated: event({
    subject: 'user.updated',
    aggregate: 'userId',
    data: Type.Object({ userId: UserId, name: Type.String(), profilePicUrl }),
  }),
})
