import { profile } from '@blog-platform/auth-contract'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  Controller,
  type NatsGroup,
  type Routes,
} from 'tsmicro'
import type { ProfileService } from './service.ts'

export class ProfileController extends Controller {
  readonly #profiles: ProfileService

  constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, profiles: ProfileService) {
    super('/', authentication, authorization)
    this.#profiles = profiles
  }

  override mountRoutes(routes: Routes): void {
    routes.implement(profile, {
      publicProfile: ({ data }) => this.#profiles.publicProfile(data.id),
      myProfile: ({ user }) => this.#profiles.privateProfile(user.id),
      changeMyProfile: ({ user, body }) => this.#profiles.change(user.id, body),
    })
  }

  override mountNats(nats: NatsGroup): void {
    nats.implement(profile, { publicProfile: ({ data }) => this.#profiles.publicProfile(data.id) })
  }
}
