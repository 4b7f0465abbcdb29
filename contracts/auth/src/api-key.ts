import { contract, frameworkErrors, procedure } from 'tsmicro/contract'
import Type, { type Static } from 'typebox'
import { API_KEY_INVALID, API_KEY_NOT_FOUND, LAST_API_KEY } from './errors.ts'
import { roles } from './roles.ts'

const { VALIDATION_FAILED } = frameworkErrors

/** What the gateway lets a key do. READ: requests that change nothing. WRITE: all others, including sign-in. */
export const ApiKeyPermission = Type.Union([Type.Literal('READ'), Type.Literal('WRITE')])
export type ApiKeyPermission = Static<typeof ApiKeyPermission>

const time = Type.String({ format: 'date-time' })

export const NewApiKey = Type.Object({
  comment: Type.String({ minLength: 1, maxLength: 200, description: 'Whose key it is and what it is for' }),
  permissions: Type.Array(ApiKeyPermission, {
    minItems: 1,
    maxItems: 2,
    uniqueItems: true,
    default: ['READ', 'WRITE'],
  }),
  expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'In the future; absent = never' })),
})
export type NewApiKey = Static<typeof NewApiKey>

/** Everything about a key except the key itself. */
export const ApiKey = Type.Object({
  id: Type.String({ format: 'uuid' }),
  comment: Type.String(),
  permissions: Type.Array(ApiKeyPermission),
  createdAt: time,
  expiresAt: Type.Optional(time),
  revokedAt: Type.Optional(time),
})
export type ApiKey = Static<typeof ApiKey>

/** The only answer that contains a key. */
export const CreatedApiKey = Type.Object({
  ...Type.Omit(ApiKey, ['revokedAt']).properties,
  key: Type.String({ description: 'Shown only this once' }),
})
export type CreatedApiKey = Static<typeof CreatedApiKey>

export const apiKeyAdministration = contract('auth', {
  createApiKey: procedure({
    http: 'POST /admin/apikeys',
    access: roles.ADMIN,
    summary: 'Create an API key; this answer is the only place where the key is ever shown',
    input: NewApiKey,
    output: CreatedApiKey,
    errors: { VALIDATION_FAILED },
    message: 'API key created',
  }),
  listApiKeys: procedure({
    http: 'GET /admin/apikeys',
    access: roles.ADMIN,
    summary: 'API keys, newest first, including revoked and expired ones; without the keys themselves',
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
    summary: 'Revoke an API key for good; gateways that hear of it refuse it at once, others within seconds',
    input: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    errors: { API_KEY_NOT_FOUND, LAST_API_KEY },
    message: 'API key revoked',
    idempotent: true,
  }),
})

/** An invalid key has neither an id nor permissions. */
export const ApiKeyVerification = Type.Object({
  valid: Type.Boolean(),
  id: Type.Optional(Type.String({ format: 'uuid' })),
  permissions: Type.Optional(Type.Array(ApiKeyPermission)),
})
export type ApiKeyVerification = Static<typeof ApiKeyVerification>

/** What the gateway asks before it lets a request through. Not reachable from outside. */
export const apiKeyVerification = contract('auth', {
  verifyApiKey: procedure({
    http: 'POST /verify/apikey',
    access: 'internal',
    input: Type.Object({ key: Type.String({ minLength: 1, maxLength: 200 }) }),
    output: ApiKeyVerification,
    bare: true,
    idempotent: true,
  }),
  /** The same with the key in the header `x-api-key`; answers 200 or 401. */
  verifyApiKeyHeader: procedure({
    http: 'GET /verify/apikey',
    access: 'internal',
    errors: { API_KEY_INVALID },
    message: 'Valid API key',
    idempotent: true,
  }),
})
