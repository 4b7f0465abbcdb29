import {
  API_KEY_NOT_FOUND,
  type ApiKey,
  apiKeyAdministration,
  type CreatedApiKey,
  type NewApiKey,
} from '@blog-platform/auth-contract'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  Controller,
  type Routes,
  VALIDATION_FAILED,
} from 'tsmicro'
import { apiKeyOf } from './dto.ts'
import { generateApiKey } from './generate.ts'
import type { ApiKeyRepository } from './repository.ts'

/** What administrators do with API keys. */
export class ApiKeyAdministrationController extends Controller {
  readonly #keys: ApiKeyRepository

  constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, keys: ApiKeyRepository) {
    super('/', authentication, authorization)
    this.#keys = keys
  }

  override mountRoutes(routes: Routes): void {
    routes.implement(apiKeyAdministration, {
      createApiKey: ({ body }) => this.#create(body),
      listApiKeys: ({ query }) => this.#list(query.page, query.limit),
      revokeApiKey: async ({ params }) => {
        if (!(await this.#keys.revoke(params.id))) throw new API_KEY_NOT_FOUND()
      },
    })
  }

  async #create({ comment, permissions, expiresAt }: NewApiKey): Promise<CreatedApiKey> {
    const key = generateApiKey()
    const stored = await this.#keys.create({ key, comment, permissions, expiresAt: futureTime(expiresAt) })
    if (!stored) throw new Error('a random key was there already')
    return { ...apiKeyOf(stored), key }
  }

  async #list(page: number, limit: number): Promise<ApiKey[]> {
    return (await this.#keys.list(page, limit)).map(apiKeyOf)
  }
}

function futureTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  // A leap second fits the format and is no time for Date; a time past the last year of four digits fits no format.
  if (time.getTime() > Date.now() && time.getUTCFullYear() < 10_000) return time
  throw new VALIDATION_FAILED([{ path: 'body/expiresAt', message: 'must be in the future' }])
}
