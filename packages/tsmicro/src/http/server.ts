import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { CallerGoneError, type EndpointLimits, type Log, requestIdOf } from '../call/index.ts'
import { ApiError, MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, ROUTE_NOT_FOUND } from '../errors/index.ts'
import { answerMethod, ROUTER_OPTIONS, watchMethods } from './allowed-methods.ts'
import { answerUnreadable, trackConnections } from './connections.ts'
import { drainOnClose } from './draining.ts'
import { failureEnvelope } from './envelope.ts'
import { decorateExchanges, Exchange } from './exchange.ts'
import { challengeOf, failureOf, headersOf, sendFailure, setStandardHeaders } from './failures.ts'
import { compileGateway, compileTrusts, type GatewayDoor } from './gateway.ts'
import { acceptJsonOnly } from './json-body.ts'
import { limitRawRoutes } from './limit-raw-routes.ts'
import { compilersWhenNeeded, markAsFastifysOwn } from './schema-compilers.ts'

export interface HttpServerOptions {
  readonly log: Log
  /** Largest body in bytes. Default 512 KiB. */
  readonly bodyLimitBytes?: number
  /** Milliseconds in which a whole request must have arrived; if it brings files, the next 512 bytes for each second of it. Default 30,000. */
  readonly receiveTimeoutMs?: number
  /** Milliseconds in which a client must take the next 64 KiB of a file, or the last bytes of a stream. Default 30,000. */
  readonly sendTimeoutMs?: number
  /** Where the files of requests are kept until they are handled. Default: `os.tmpdir()`. */
  readonly temporaryFolder?: string
  /** Accept only requests that came through the gateway. Absent: every request that reaches the port is accepted. */
  readonly gateway?: GatewayDoor
  /**
   * Addresses or networks of the proxies in front of the service, e.g. `['10.0.0.0/8']`. Their `x-real-ip` and `x-forwarded-*` are trusted,
   * in `context.clientAddress` and by Fastify (`request.ip`), so they must overwrite what a client sends in these headers. Default
   * none. What the gateway has signed is trusted anyway.
   */
  readonly trustedProxies?: readonly string[]
  /** The realm in `www-authenticate` of a 401 (RFC 6750). Default `api`. */
  readonly realm?: string
  /** Limits of each route without a contract, unless it has its own in `config.limits`. Default 256 at a time, 1,024 waiting. */
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
    // Longer than the usual 60 s of gateways, so that they close idle connections before we do.
    keepAliveTimeout: 75_000,
    routerOptions: { ...ROUTER_OPTIONS },
    schemaController: { compilersFactory: compilersWhenNeeded() },
    // While draining, requests on open connections are still served; only new connections are refused.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: request => requestIdOf(request.headers['x-request-id'] as string | undefined),
    frameworkErrors: (error, request, reply) => {
      // A parameter is longer than any of ours, so no route matches. 414 would be about the whole URL.
      const tooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      const failure = tooLong ? new MALFORMED_REQUEST(undefined, { cause: error }) : failureOf(error)
      void (reply as FastifyReply)
        .code(failure.status)
        .header('x-request-id', request.id)
        .send(failureEnvelope(failure, request.id))
    },
    clientErrorHandler: answerUnreadable,
  })
  markAsFastifysOwn(server)
  trackConnections(server, log)
  acceptJsonOnly(server)
  drainOnClose(server, log)
  decorateExchanges(server)
  const allowedMethods = watchMethods(server)
  limitRawRoutes(server, options.limits, log)
  const refuse = options.gateway ? compileGateway(options.gateway, log) : () => undefined
  // One hook for all that every request needs.
  server.addHook('onRequest', (request, reply, done) => {
    const exchange = new Exchange(request, reply, log)
    setStandardHeaders(reply)
    done(refuse(exchange) ?? (isDecodable(request.raw.url ?? '') ? undefined : new MALFORMED_REQUEST()))
  })
  // Before the handler, so that the body of a refused request is not read; after the plugins' `onRequest`, because browsers need their
  // headers (CORS).
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
    const failure = failureOf(error, reply.statusCode)
    if (failure.status >= 500 && !(error instanceof ApiError || error instanceof CallerGoneError)) {
      log.error({ err: error, requestId: request.id }, 'unexpected error at the HTTP door')
    }
    reply.headers(headersOf(error))
    if (failure.status === 401 && !reply.hasHeader('www-authenticate'))
      reply.header('www-authenticate', challengeOf(request.headers.authorization, options.realm))
    if (failure.retryAfterSeconds !== undefined) reply.header('retry-after', failure.retryAfterSeconds)
    // Fastify would close the connection. If it stays open, Node discards the rest, until the receive time-out at most.
    if (failure instanceof PAYLOAD_TOO_LARGE) reply.removeHeader('connection')
    sendFailure(reply, failure, log)
  })
  return server
}

/** Fastify accepts an invalid escape in the query as literal text. */
function isDecodable(url: string): boolean {
  if (!url.includes('%')) return true
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}
