import { administration } from '@blog-platform/auth-contract'
import { type AuthenticationProvider, type AuthorizationProvider, Controller, type Routes } from 'tsmicro'
import type { AdministrationService } from './service.ts'

export class AdministrationController extends Controller {
  readonly #administration: AdministrationService

  constructor(
    authentication: AuthenticationProvider,
    authorization: AuthorizationProvider,
    service: AdministrationService,
  ) {
    super('/', authentication, authorization)
    this.#administration = service
  }

  override mountRoutes(routes: Routes): void {
    routes.implement(administration, {
      setRoles: ({ params, body }) => this.#administration.setRoles(params.id, body.roles),
    })
  }
}
