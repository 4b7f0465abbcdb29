import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'
import { type SignedIn, signedIn } from './sign-in.ts'

const withRole = (role: string) =>
  createMiddleware<SignedIn>(async (c, next) => {
    if (!c.get('user').roles.includes(role)) throw new HTTPException(403)
    await next()
  })

const app = new Hono().delete('/names/:name', signedIn, withRole('EDITOR'), c => {
  return c.json({ forgotten: c.req.param('name') })
})

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) })
