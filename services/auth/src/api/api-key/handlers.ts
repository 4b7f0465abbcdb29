import { API_KEY_INVALID, apiKeyAdministration, apiKeyVerification } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import type { ApiKeyRepository } from './repository.ts'
import type { ApiKeyAdministrationService } from './service.ts'

/** What administrators do with API keys. */
export function apiKeyAdministrationHandlers(service: ApiKeyAdministrationService): Implementation {
  return implement(apiKeyAdministration, {
    createApiKey: ({ input }) => service.create(input),
    listApiKeys: ({ input }) => service.list(input.page, input.limit),
    revokeApiKey: ({ input }) => service.revoke(input.id),
  })
}

/** What the gateway asks before it lets a request through. */
export function apiKeyVerificationHandlers(keys: ApiKeyRepository): Implementation {
  return implement(apiKeyVerification, {
    async verifyApiKey({ input }) {
      const found = await keys.findGood(input.key)
      return found ? { valid: true, id: found.id, permissions: found.permissions } : { valid: false }
    },
    async verifyApiKeyHeader({ context }) {
      const key = context.headers['x-api-key']
      if (key === undefined || !(await keys.findGood(key))) throw new API_KEY_INVALID()
    },
  })
}
