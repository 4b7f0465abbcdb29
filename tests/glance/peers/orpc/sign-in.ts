import type { IncomingHttpHeaders } from 'node:http'
import { ORPCError, os } from '@orpc/server'

export const base = os.$context<{ headers: IncomingHttpHeaders }>()

/** Stands for the application's sign-in: the token says which roles the user has. */
export const signedIn = base.use(({ context, next }) => {
  const [, role] = /^Bearer (\w+)$/.exec(context.headers.authorization ?? '') ?? []
  if (role === undefined) throw new ORPCError('UNAUTHORIZED')
  return next({ context: { user: { roles: [role] } } })
})
