import type { FastifyInstance } from 'fastify'
import type { Contract } from '../contract/index.ts'
import { type OpenApiInfo, openApiOf, SUCCESS_CODE } from '../http/index.ts'
import type { HealthCheck } from './health.ts'

/**
 * What every service serves: `GET /health` (200 while the process works, with detail), `GET /health/ready` (503 when
 * requests should go elsewhere) and `GET /openapi.json`.
 */
export function mountBuiltinRoutes(
  server: FastifyInstance,
  health: HealthCheck,
  info: OpenApiInfo,
  contracts: readonly Contract[],
): void {
  const openApi = JSON.stringify(openApiOf(info, contracts))
  server.get('/health', async () => {
    const data = await health.read()
    return { code: SUCCESS_CODE, status: 200, message: 'Success', data }
  })
  server.get('/health/ready', async (_request, reply) => {
    const { ready, dependencies } = await health.read()
    const status = ready ? 200 : 503
    return reply.code(status).send({ ready, dependencies })
  })
  server.get('/openapi.json', async (_request, reply) => reply.type('application/json').send(openApi))
}
