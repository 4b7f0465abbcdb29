import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { accessLog, listen } from '../subjects.ts'
import { created, isPermitted, itemOf } from '../traffic.ts'

/** Hono on Node as its documentation shows it. It validates nothing by itself, neither requests nor answers. */
export async function open(logged: boolean): Promise<number> {
  const app = new Hono()
  if (logged) {
    const log = accessLog('items')
    let requests = 0
    app.use(async (c, next) => {
      const began = performance.now()
      await next()
      const ms = Math.round((performance.now() - began) * 10) / 10
      log({ requestId: `req-${++requests}`, method: c.req.method, route: c.req.path, status: c.res.status, ms })
    })
  }
  app.use('/own/*', async (c, next) => {
    if (!isPermitted(c.req.header('authorization'))) return c.json({}, 401)
    await next()
    return undefined
  })
  app.get('/items/:id', c => c.json(itemOf(c.req.param('id'))))
  app.post('/items', async c => c.json(created(await c.req.json())))
  app.get('/own/:id', c => c.json(itemOf(c.req.param('id'))))
  return listen(createAdaptorServer({ fetch: app.fetch }) as Server)
}
