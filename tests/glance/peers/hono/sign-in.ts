import { createMiddleware } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'

export interface SignedIn {
  Variables: { user: { roles: string[] } }
}

/** Stands for the application's sign-in: the token says which roles the user has. */
export const signedIn = createMiddleware<SignedIn>(async (c, next) => {
  const [, role] = /^Bearer (\w+)$/.exec(c.req.header('authorization') ?? '') ?? []
  if (role === undefined) throw new HTTPException(401)
  c.set('user', { roles: [role] })
  await next()
})
