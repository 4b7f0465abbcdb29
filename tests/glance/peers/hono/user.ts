import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { signedIn } from './sign-in.ts'

const app = new Hono().delete('/names/:name', signedIn, c => {
  return c.json({ forgotten: c.req.param('name') })
})

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) })
