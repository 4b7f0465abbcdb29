import { session } from '@blog-platform/auth-contract'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  Controller,
  type Principal,
  type Routes,
} from 'tsmicro'
import { originOf } from '../sign-in-throttle/origin.ts'
import type { SessionService } from './service.ts'
import type { SignInService } from './sign-in.ts'

export class SessionController extends Controller {
  readonly #signIn: SignInService
  readonly #sessions: SessionService

  constructor(
    authentication: AuthenticationProvider,
    authorization: AuthorizationProvider,
    signIn: SignInService,
    sessions: SessionService,
  ) {
    super('/', authentication, authorization)
    this.#signIn = signIn
    this.#sessions = sessions
  }

  override mountRoutes(routes: Routes): void {
    routes.implement(session, {
      signUp: ({ body, context, signal }) => this.#signIn.signUp(body, originOf(context), signal),
      signIn: ({ body, context, signal }) => this.#signIn.signIn(body, originOf(context), signal),
      refresh: ({ body, context, signal }) => this.#sessions.renew(context.token, body.refreshToken, signal),
      signOut: ({ user }) => this.#sessions.end(sessionOf(user)),
      signOutByToken: ({ body }) => this.#sessions.endBy(body.refreshToken),
    })
  }
}

function sessionOf({ sessionId }: Principal): string {
  if (sessionId === undefined) throw new Error('a user was let in without a session')
  return sessionId
}
