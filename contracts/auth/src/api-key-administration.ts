import { contract, frameworkErrors, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'
import { ApiKeyPermission } from './api-key-permission.ts'
import { API_KEY_NOT_FOUND, LAST_API_KEY } from './errors.ts'
import { roles } from './roles.ts'

const { VALIDATION_FAILED } = frameworkErrors

const time = Type.String({ format: 'date-time' })

export const NewApiKey = Type.Object({
  comment: Type.String({ minLength: 1, maxLength: 200, description: 'Whose key it is and what for' }),
  permissions: Type.Array(ApiKeyPermission, {
    minItems: 1,
    maxItems: 2,
    uniqueItems: true,
    default: ['READ', 'WRITE'],
  }),
  expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'In the future; absent = never' })),
})
export type NewApiKey = Static<typeof NewApiKey>

/** What is known of a key: all but the key. */
export const ApiKey = Type.Object({
  id: Type.String({ format: 'uuid' }),
  comment: Type.String(),
  permissions: Type.Array(ApiKeyPermission),
  createdAt: time,
  expiresAt: Type.Optional(time),
  revokedAt: Type.Optional(time),
})
export type ApiKey = Static<typeof ApiKey>

/** The only answer that holds a key. */
export const CreatedApiKey = Type.Object({
  ...Type.Omit(ApiKey, ['revokedAt']).properties,
  key: Type.String({ description: 'Shown this once' }),
})
export type CreatedApiKey = Static<typeof CreatedApiKey>

export const apiKeyAdministration = contract('auth', {
  createApiKey: procedure({
    http: 'POST /admin/apikeys',
    access: roles.ADMIN,
    summary: 'Make an API key; the answer is the only place where it is ever shown',
    input: NewApiKey,
    output: CreatedApiKey,
    errors: { VALIDATION_FAILED },
    message: 'API key made',
  }),
  listApiKeys: procedure({
    http: 'GET /admin/apikeys',
    access: roles.ADMIN,
    summary: 'API keys, newest first, revoked and expired ones too; without the keys themselves',
    input: Type.Object({
      page: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
      limit: Type.Integer({ minimum: 1, maximum: 1000, default: 10 }),
    }),
    output: Type.Array(ApiKey),
    idempotent: true,
  }),
  revokeApiKey: procedure({
    http: 'DELETE /admin/apikeys/:id',
    access: roles.ADMIN,
    summary: 'Revoke an API key for ever; a gateway that is told refuses it at once, any other in seconds',
    input: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    errors: { API_KEY_NOT_FOUND, LAST_API_KEY },
    message: 'API key revoked',
    idempotent: true,
  }),
})
