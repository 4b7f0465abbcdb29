import { API_KEY_INVALID, type ApiKeyPermission, apiKeyVerification } from '@blog-platform/auth-contract'
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
      verifyApiKey: ({ body }) => this.#verify(body.key, body.permission),
      verifyApiKeyHeader: async ({ context }) => {
        const key = context.headers['x-api-key']
        if (key === undefined || !(await this.#keys.permissionsOf(key))) throw new API_KEY_INVALID()
      },
    })
  }

  async #verify(key: string, permission: ApiKeyPermission | undefined) {
    const held = await this.#keys.permissionsOf(key)
    const valid = held !== undefined
    // Who asks in the old form gets the old answer: gateway and service are deployed one after the other.
    return permission === undefined ? { valid } : { valid, permitted: valid && held.includes(permission) }
  }
}
