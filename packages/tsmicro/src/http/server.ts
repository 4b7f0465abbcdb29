import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { type Log, requestIdOf } from '../call/index.ts'
import { ApiError, INTERNAL, MALFORMED_REQUEST, REQUEST_TIMEOUT, ROUTE_NOT_FOUND } from '../errors/index.ts'
import { failureEnvelope } from './envelope.ts'
import { acceptJsonOnly } from './json-body.ts'
import { parserErrorOf } from './parser-errors.ts'

export interface HttpServerOptions {
  readonly log: Log
  /** Largest body in bytes. Default 512 KiB. */
  readonly bodyLimitBytes?: number
  /** Milliseconds in which a whole request must have arrived. Default 30,000. */
  readonly receiveTimeoutMs?: number
}

const DEFAULT_BODY_LIMIT = 512 * 1024
const DEFAULT_RECEIVE_TIMEOUT_MS = 30_000

/** Fastify with the platform's envelope, request ids, limits and one access-log line a request. Not yet listening. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { log } = options
  const server = fastify({
    logger: false,
    bodyLimit: options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT,
    requestTimeout: options.receiveTimeoutMs ?? DEFAULT_RECEIVE_TIMEOUT_MS,
    // Longer than the 60 s for which gateways usually keep idle upstream connections, so that they close them, not we.
    keepAliveTimeout: 75_000,
    routerOptions: { maxParamLength: 500 },
    // While draining, what still arrives on an open connection is served; only new connections are refused.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: request => requestIdOf(request.headers['x-request-id'] as string | undefined),
    frameworkErrors: (error, request, reply) => {
      const failure = parserErrorOf(error)
      void (reply as FastifyReply).code(failure.status).send(failureEnvelope(failure, request.id))
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return void socket.destroy()
      const failure = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? new REQUEST_TIMEOUT() : new MALFORMED_REQUEST()
      socket.end(rawAnswer(failure, requestIdOf(undefined)))
    },
  })
  acceptJsonOnly(server)
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  server.setNotFoundHandler(() => {
    throw new ROUTE_NOT_FOUND()
  })
  server.setErrorHandler((error, request, reply) => {
    const failure = parserErrorOf(error)
    if (failure instanceof INTERNAL && !(error instanceof ApiError)) {
      log.error({ err: error, requestId: request.id }, 'unexpected error at the HTTP door')
    }
    if (failure.retryAfterSeconds !== undefined) reply.header('retry-after', failure.retryAfterSeconds)
    void reply.code(failure.status).send(failureEnvelope(failure, request.id))
  })
  server.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, id: requestId } = request
    const ms = Math.round(reply.elapsedTime * 10) / 10
    const line = { requestId, method, route: routeOptions.url, status: reply.statusCode, ms }
    // Probes come every few seconds for ever; they would bury everything else.
    if (routeOptions.url?.startsWith('/health')) log.debug(line, 'request')
    else log.info(line, 'request')
  })
  return server
}

/** An answer to bytes that are not HTTP, where there is no reply object to send it with. */
function rawAnswer(failure: ApiError, requestId: string): string {
  const body = JSON.stringify(failureEnvelope(failure, requestId))
  return (
    `HTTP/1.1 ${failure.status} ${failure.code}\r\ncontent-type: application/json; charset=utf-8\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`
  )
}
