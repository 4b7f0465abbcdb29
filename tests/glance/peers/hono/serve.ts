import { serve } from '@hono/node-server'
import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import { z } from 'zod'

export const app = new Hono().get('/greet/:name', zValidator('param', z.object({ name: z.string().min(2) })), c => {
  const { name } = c.req.valid('param')
  return c.json({ text: `Hello ${name}` })
})

if (import.meta.main) serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) })
