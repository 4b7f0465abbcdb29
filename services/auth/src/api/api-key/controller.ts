import { API_KEY_INVALID, apiKeyVerification } from '@blog-platform/auth-contract'
import { type AuthenticationProvider, type AuthorizationProvider, Controller, type Routes } from 'tsmicro'
import type { ApiKeyRepository } from './repository.ts'

/** What the gateway asks before it lets a request through. */
export class ApiKeyController extends Controller {
  readonly #keys: ApiKeyRepository

  constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, keys: ApiKeyRepository) {
    super('/', authentication, authorization)
    this.#keys = keys
  }

  override mountRoutes(routes: Routes): void {
    routes.implement(apiKeyVerification, {
      verifyApiKey: ({ body }) => this.#verify(body.key),
      verifyApiKeyHeader: async ({ context }) => {
        const key = context.headers['x-api-key']
        if (key === undefined || !(await this.#keys.findGood(key))) throw new API_KEY_INVALID()
      },
    })
  }

  async #verify(key: string) {
    const found = await this.#keys.findGood(key)
    return found ? { valid: true, id: found.id, permissions: [...found.permissions] } : { valid: false }
  }
}
