import { createServer } from 'node:http'
import { OpenAPIHandler } from '@orpc/openapi/node'
import { z } from 'zod'
import { signedIn } from './sign-in.ts'

const router = {
  forget: signedIn
    .route({ method: 'DELETE', path: '/names/{name}' })
    .input(z.object({ name: z.string() }))
    .output(z.object({ forgotten: z.string() }))
    .handler(({ input }) => ({ forgotten: input.name })),
}

const handler = new OpenAPIHandler(router)
const server = createServer(async (request, response) => {
  const { matched } = await handler.handle(request, response, { context: { headers: request.headers } })
  if (!matched) response.writeHead(404).end()
})
server.listen(process.env.PORT ?? 3000)
