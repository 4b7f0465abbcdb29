import { apiKeyAdministration, apiKeyVerification } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import type { ApiKeyService } from './service.ts'

/** What administrators do with API keys, and what the gateway asks about them. */
export function apiKeyHandlers(apiKeys: ApiKeyService): Implementation[] {
  return [
    implement(apiKeyAdministration, {
      createApiKey: ({ input }) => apiKeys.create(input),
      listApiKeys: ({ input }) => apiKeys.list(input.page, input.limit),
      revokeApiKey: ({ input }) => apiKeys.revoke(input.id),
    }),
    implement(apiKeyVerification, {
      verifyApiKey: ({ input }) => apiKeys.verify(input.key),
      verifyApiKeyHeader: ({ context }) => apiKeys.requireValid(context.headers['x-api-key']),
    }),
  ]
}
