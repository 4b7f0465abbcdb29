import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../call/index.ts'

/** nginx's number for a client that went away before it was answered. Never sent. */
const CLIENT_GONE = 499

/** One line a request, when it is over. Not with `onResponse`, which Fastify leaves out for clients that went away. */
export function logAccess(server: FastifyInstance, log: Log): void {
  server.addHook('onRequest', (request, reply, done) => {
    // Fastify's own `elapsedTime` is 0 without a logger or an `onResponse` hook.
    const began = performance.now()
    reply.raw.once('close', () => {
      const { method, routeOptions, id: requestId } = request
      const ms = Math.round((performance.now() - began) * 10) / 10
      const status = reply.raw.writableFinished ? reply.statusCode : isUpgraded(request, reply) ? 101 : CLIENT_GONE
      const line = { requestId, method, route: routeOptions.url, status, ms }
      // Probes come every few seconds for ever; they would bury everything else.
      if (routeOptions.url?.startsWith('/health')) log.debug(line, 'request')
      else log.info(line, 'request')
    })
    done()
  })
}

/** A WebSocket's plugin answers on the socket itself. */
function isUpgraded({ headers }: FastifyRequest, reply: FastifyReply): boolean {
  return headers.upgrade !== undefined && reply.sent && !reply.raw.headersSent
}
