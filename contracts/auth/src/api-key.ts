import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { ApiKeyPermission } from './api-key-permission.ts'
import { API_KEY_INVALID } from './errors.ts'

/** What the gateway asks before it lets a request through. Not reachable from outside. */
export const apiKeyVerification = contract('auth', {
  verifyApiKey: procedure({
    http: 'POST /verify/apikey',
    access: 'internal',
    input: Type.Object({ key: Type.String({ minLength: 1, maxLength: 200 }) }),
    /** Of a key that is not valid, nothing is told. */
    output: Type.Object({
      valid: Type.Boolean(),
      id: Type.Optional(Type.String({ format: 'uuid' })),
      permissions: Type.Optional(Type.Array(ApiKeyPermission)),
    }),
    bare: true,
    idempotent: true,
  }),
  /** The same with the key in the header `x-api-key`: 200 or 401. */
  verifyApiKeyHeader: procedure({
    http: 'GET /verify/apikey',
    access: 'internal',
    errors: { API_KEY_INVALID },
    message: 'Valid API key',
    idempotent: true,
  }),
})
