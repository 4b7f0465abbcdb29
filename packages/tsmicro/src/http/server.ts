import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { CallerGoneError, type EndpointLimits, type Log, requestIdOf } from '../call/index.ts'
import { ApiError, MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, ROUTE_NOT_FOUND } from '../errors/index.ts'
import { logAccess } from './access-log.ts'
import { answerMethod, ROUTER_OPTIONS, watchMethods } from './allowed-methods.ts'
import { challengeOf } from './challenge.ts'
import { compileTrusts } from './client-address.ts'
import { trackConnections } from './connections.ts'
import { drainOnClose } from './draining.ts'
import { failureEnvelope } from './envelope.ts'
import { admitGatewayOnly, type GatewayDoor } from './gateway-door.ts'
import { acceptJsonOnly } from './json-body.ts'
import { limitRawRoutes } from './limit-raw-routes.ts'
import { headersOf, parserErrorOf } from './parser-errors.ts'
import { answerUnreadable } from './raw-answer.ts'
import { sendFailure } from './send-failure.ts'

export interface HttpServerOptions {
  readonly log: Log
  /** Largest body in bytes. Default 512 KiB. */
  readonly bodyLimitBytes?: number
  /** Milliseconds in which a whole request must have arrived. Default 30,000. */
  readonly receiveTimeoutMs?: number
  /** Take only requests that came through the gateway. Absent: whoever reaches the port is heard. */
  readonly gateway?: GatewayDoor
  /**
   * Addresses or networks of proxies that stand before the service, e.g. `['10.0.0.0/8']`: whose `x-real-ip` and `x-forwarded-*` are
   * believed, in `context.clientAddress` and by Fastify (`request.ip`). They must set these headers themselves, whatever a client
   * sends. Default none. What the gateway has signed is believed anyway.
   */
  readonly trustedProxies?: readonly string[]
  /** What `www-authenticate` calls this door beside 401 (RFC 6750). Default `api`. */
  readonly realm?: string
  /** How much each route without a contract takes, unless its `config.limits` say so. Default 256 at the same time, 1,024 waiting. */
  readonly limits?: EndpointLimits | undefined
}

const DEFAULT_BODY_LIMIT = 512 * 1024
const DEFAULT_RECEIVE_TIMEOUT_MS = 30_000

/** Fastify with the platform's envelope, request ids, limits and one access-log line a request. Not yet listening. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { log, receiveTimeoutMs = DEFAULT_RECEIVE_TIMEOUT_MS } = options
  const trusts = compileTrusts(options.trustedProxies ?? [])
  const server = fastify({
    logger: false,
    trustProxy: options.trustedProxies?.length ? trusts : false,
    bodyLimit: options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT,
    requestTimeout: receiveTimeoutMs,
    http: {
      requestTimeout: receiveTimeoutMs,
      // Node's own is 60 s, and the larger of the two would count for both.
      headersTimeout: receiveTimeoutMs,
      // How often Node looks for late requests; by itself only every 30 s.
      connectionsCheckingInterval: Math.max(100, Math.min(5000, receiveTimeoutMs / 4)),
    },
    // Longer than the 60 s for which gateways usually keep idle upstream connections, so that they close them, not we.
    keepAliveTimeout: 75_000,
    routerOptions: { ...ROUTER_OPTIONS },
    // While draining, what still arrives on an open connection is served; only new connections are refused.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: request => requestIdOf(request.headers['x-request-id'] as string | undefined),
    frameworkErrors: (error, request, reply) => {
      // 414 would be about the whole address: a parameter is longer than any that we have.
      const tooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      const failure = tooLong ? new MALFORMED_REQUEST(undefined, { cause: error }) : parserErrorOf(error)
      void (reply as FastifyReply)
        .code(failure.status)
        .header('x-request-id', request.id)
        .send(failureEnvelope(failure, request.id))
    },
    clientErrorHandler: answerUnreadable,
  })
  trackConnections(server, log)
  acceptJsonOnly(server)
  drainOnClose(server, log)
  logAccess(server, log)
  const allowedMethods = watchMethods(server)
  limitRawRoutes(server, options.limits, log)
  server.addHook('onRequest', (request, reply, done) => {
    // Answers belong to one caller, and some carry tokens (RFC 6749 section 5.1); a handler of a public one may say otherwise.
    reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    done()
  })
  if (options.gateway) admitGatewayOnly(server, options.gateway, log)
  server.addHook('onRequest', (request, _reply, done) => {
    done(isDecodable(request.raw.url ?? '') ? undefined : new MALFORMED_REQUEST())
  })
  // Here rather than in the handler: a body for nobody is not read. Behind the plugins' `onRequest`, whose headers (CORS) a browser needs.
  server.addHook('preParsing', (request, reply, payload, done) => {
    if (!request.is404) return done(null, payload)
    const allow = allowedMethods(request)
    if (allow === undefined) return done(new ROUTE_NOT_FOUND())
    const refused = answerMethod(request, reply, allow)
    if (refused) done(refused)
  })
  server.setNotFoundHandler(() => {
    throw new ROUTE_NOT_FOUND()
  })
  server.setErrorHandler((error, request, reply) => {
    const failure = parserErrorOf(error, reply.statusCode)
    if (failure.status >= 500 && !(error instanceof ApiError || error instanceof CallerGoneError)) {
      log.error({ err: error, requestId: request.id }, 'unexpected error at the HTTP door')
    }
    reply.headers(headersOf(error))
    if (failure.status === 401 && !reply.hasHeader('www-authenticate'))
      reply.header('www-authenticate', challengeOf(request.headers.authorization, options.realm))
    if (failure.retryAfterSeconds !== undefined) reply.header('retry-after', failure.retryAfterSeconds)
    // Fastify would close the connection. Left open, Node reads the rest into nothing, until the receive time-out at most.
    if (failure instanceof PAYLOAD_TOO_LARGE) reply.removeHeader('connection')
    sendFailure(reply, failure, log)
  })
  return server
}

/** Fastify takes an escape in the query that is none, or none of UTF-8, for the text that it is. */
function isDecodable(url: string): boolean {
  if (!url.includes('%')) return true
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}
