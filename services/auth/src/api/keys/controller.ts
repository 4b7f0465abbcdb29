import { keys } from '@blog-platform/auth-contract'
import { type AuthenticationProvider, type AuthorizationProvider, Controller, type Routes } from 'tsmicro'
import type { KeyRing } from 'tsmicro/auth'

/** Publishes the keys that verify tokens. */
export class KeysController extends Controller {
  readonly #keyRing: KeyRing

  constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, keyRing: KeyRing) {
    super('/', authentication, authorization)
    this.#keyRing = keyRing
  }

  override mountRoutes(routes: Routes): void {
    routes.implement(keys, { jwks: () => this.#keyRing.jwks() })
  }
}
