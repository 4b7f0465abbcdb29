import type { FastifyInstance } from 'fastify'
import { SUCCESS_CODE } from '../http/index.ts'
import type { JsonSchema } from '../schema/index.ts'
import type { HealthCheck } from './health.ts'

/** Routes that every service has; no procedure may take them. */
export const BUILTIN_ROUTES = ['GET /health', 'GET /health/ready', 'GET /openapi.json'] as const

/**
 * What every service serves: `GET /health` (200 while the process works, with detail), `GET /health/ready` (503 when
 * requests should go elsewhere) and `GET /openapi.json`.
 */
export function mountBuiltinRoutes(server: FastifyInstance, health: HealthCheck, openApi: JsonSchema): void {
  const document = JSON.stringify(openApi)
  const procedure = 'the framework'
  const open = { config: { procedure, gateway: 'open', limits: false } } as const
  server.get('/health', open, async () => {
    const data = await health.read()
    return { code: SUCCESS_CODE, status: 200, message: 'Success', data }
  })
  server.get('/health/ready', open, async (_request, reply) => {
    const { ready, dependencies } = await health.read()
    const status = ready ? 200 : 503
    return reply.code(status).send({ ready, dependencies })
  })
  server.get('/openapi.json', { config: { procedure } }, async (_request, reply) =>
    reply.type('application/json').send(document),
  )
}
