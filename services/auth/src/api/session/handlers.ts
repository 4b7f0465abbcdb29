import { session } from '@blog-platform/auth-contract'
import { type Implementation, implement, type Principal } from 'tsmicro'
import { originOf } from '../sign-in-throttle/origin.ts'
import type { SessionService } from './service.ts'
import type { SignInService } from './sign-in.ts'

/** How clients start, renew and end sessions. */
export function sessionHandlers(signIn: SignInService, sessions: SessionService): Implementation {
  return implement(session, {
    signUp: ({ input, context, signal }) => signIn.signUp(input, originOf(context), signal),
    signIn: ({ input, context, signal }) => signIn.signIn(input, originOf(context), signal),
    refresh: ({ input, context, signal }) => sessions.renew(context.token, input.refreshToken, signal),
    signOut: ({ user }) => sessions.end(sessionOf(user)),
    signOutByToken: ({ input }) => sessions.endBy(input.refreshToken),
  })
}

function sessionOf({ sessionId }: Principal): string {
  if (sessionId === undefined) throw new Error('the authenticated user has no session')
  return sessionId
}
