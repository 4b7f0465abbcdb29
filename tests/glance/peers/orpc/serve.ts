import { createServer } from 'node:http'
import { OpenAPIHandler } from '@orpc/openapi/node'
import { os } from '@orpc/server'
import { RPCHandler } from '@orpc/server/node'
import { z } from 'zod'

export const router = {
  greet: os
    .route({ method: 'GET', path: '/greet/{name}' })
    .input(z.object({ name: z.string().min(2) }))
    .output(z.object({ text: z.string() }))
    .handler(({ input }) => ({ text: `Hello ${input.name}` })),
}

const http = new OpenAPIHandler(router)
const rpc = new RPCHandler(router)

export const server = createServer(async (request, response) => {
  const overRpc = await rpc.handle(request, response, { prefix: '/rpc', context: {} })
  if (overRpc.matched) return
  const overHttp = await http.handle(request, response, { context: {} })
  if (!overHttp.matched) response.writeHead(404).end()
})

if (import.meta.main) server.listen(process.env.PORT ?? 3000)
