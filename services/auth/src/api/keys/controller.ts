import { keys } from '@blog-platform/auth-contract'
import { type AuthenticationProvider, type AuthorizationProvider, Controller, type Routes } from 'tsmicro'
import type { RotatingKeyRing } from 'tsmicro/auth'

/** Publishes the keys that verify tokens. */
export class KeysController extends Controller {
  readonly #keys: Pick<RotatingKeyRing, 'jwks'>

  constructor(
    authentication: AuthenticationProvider,
    authorization: AuthorizationProvider,
    keys: Pick<RotatingKeyRing, 'jwks'>,
  ) {
    super('/', authentication, authorization)
    this.#keys = keys
  }

  override mountRoutes(routes: Routes): void {
    routes.implement(keys, { jwks: () => this.#keys.jwks() })
  }
}
