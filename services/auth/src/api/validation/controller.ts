import { validation } from '@blog-platform/auth-contract'
import { type AuthenticationProvider, type AuthorizationProvider, Controller, type NatsGroup } from 'tsmicro'
import type { RotatingKeyRing } from 'tsmicro/auth'
import type { ValidationService } from './service.ts'

/** What other services ask before they act for a user. */
export class ValidationController extends Controller {
  readonly #validation: ValidationService
  readonly #keys: Pick<RotatingKeyRing, 'jwks'>

  constructor(
    authentication: AuthenticationProvider,
    authorization: AuthorizationProvider,
    service: ValidationService,
    keys: Pick<RotatingKeyRing, 'jwks'>,
  ) {
    super('/', authentication, authorization)
    this.#validation = service
    this.#keys = keys
  }

  override mountNats(nats: NatsGroup): void {
    nats.implement(validation, {
      validateToken: ({ data }) => this.#validation.validateToken(data.token),
      validateRole: async ({ data }) => ({ valid: await this.#validation.hasRole(data.userId, data.role) }),
      publicKeys: () => this.#keys.jwks(),
    })
  }
}
