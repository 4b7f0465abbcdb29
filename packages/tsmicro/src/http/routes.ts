import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  createFailureMapper,
  createPipeline,
  Deadline,
  DoorContext,
  type EndpointLimits,
  type Guard,
  guardOf,
  type Handler,
  isReplay,
  Limiter,
  type Log,
  type Middleware,
  type OpenStream,
  type Stage,
  ThrottledLog,
  withContext,
} from '../call/index.ts'
import { type BoundProcedure, fieldsOfInput, hasNoBody, isStream, parseRoute } from '../contract/index.ts'
import { ROUTE_NOT_FOUND } from '../errors/index.ts'
import { mayHaveNumbers } from '../schema/index.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { compileSendFile } from './files.ts'
import { clientAddressOf, consumerOf, isForwarded, type Trusts } from './gateway.ts'
import { compileReadInput } from './input.ts'
import { compileWrite } from './replies.ts'
import { compileStreams } from './streams.ts'
import { compileUpload } from './uploads.ts'

/** The HTTP door as a controller's `mountRoutes` gets it. */
export interface Routes {
  /**
   * Fastify itself, for its plugins, raw replies, files and cookies. Routes added here bypass the contracts: they have no access rule,
   * keep the status of the errors that they throw (`{ statusCode: 422 }`), and accept as many requests as `config.limits` says. Streams
   * and the like, which do not end by themselves, must be ended in `preClose`, or they delay a stop by `drainTimeoutMs`.
   *
   * @example
   * const streams = new Set<{ end(): void }>()
   * routes.fastify.get('/live', (_request, reply) => void streams.add(reply.hijack().raw))
   * routes.fastify.addHook('preClose', async () => streams.forEach(stream => stream.end()))
   */
  readonly fastify: FastifyInstance
}

export interface RouteOptions {
  readonly server: FastifyInstance
  readonly authentication: AuthenticationProvider | undefined
  readonly authorization: AuthorizationProvider | undefined
  readonly middleware: readonly Middleware[]
  /** Milliseconds a handler may take unless its procedure says otherwise. */
  readonly timeoutMs: number
  readonly trusts: Trusts
  readonly limits: EndpointLimits | undefined
  readonly sendTimeoutMs: number | undefined
  readonly temporaryFolder: string | undefined
  readonly log: Log
}

/** The route of a procedure, e.g. `GET /v1/slug/:slug`. @param basePath prefix, e.g. `/` or `/v1` */
export function routeOf({ http }: BoundProcedure, basePath: string): string {
  const { method, path } = parseRoute(http ?? '')
  const prefix = basePath.replace(/\/$/, '')
  return `${method} ${path === '/' && prefix !== '' ? prefix : `${prefix}${path}`}`
}

/** Compiles everything that the requests of one procedure need, and adds its route to the server. */
export function mountRoute(procedure: BoundProcedure, route: string, handler: Handler, options: RouteOptions): void {
  const { limits, log, trusts } = options
  const { access, bodyLimitBytes, idempotencyKey, input, timeoutMs = options.timeoutMs } = procedure
  const { method, path: url } = parseRoute(route)
  const guard = guardOf(access, options.authentication, options.authorization)
  const toFailure = createFailureMapper(procedure)
  const readInput = compileReadInput(procedure)
  const pipeline = createPipeline(procedure, handler, options, toFailure)
  const write = compileWrite(procedure)
  const withBody = !hasNoBody(method)

  // A request holds a place while its caller is identified and while it is handled, but not while it sends its body: slow clients
  // would take all of them.
  const limiter = new Limiter(limits)
  const overload = new ThrottledLog(log, 'overloaded: requests are refused')
  const refused = (error: unknown) => {
    // There may be very many, so they are not logged one by one.
    overload.warn({ route })
    return error
  }
  const { mount, receiving } = compileUpload(procedure, { ...options, readInput, toFailure, refused })
  const sendFile = compileSendFile(procedure, { ...options, timeoutMs, toFailure, refused })
  const answerStream = isStream(procedure.output) ? compileStreams(options, refused) : undefined
  /** Undefined if the request has its place at once. @param again it had one before */
  const enter = (context: DoorContext, again: boolean): Promise<void> | undefined => {
    const { deadline } = context
    if (limiter.tryAcquire()) return undefined
    deadline.arm()
    try {
      const turn = again ? limiter.reacquire(deadline) : limiter.acquire(deadline)
      return turn?.catch(error => fail(error, 'guard', context))
    } catch (error) {
      throw refused(error)
    }
  }
  const fail = async (error: unknown, stage: Stage, context: DoorContext): Promise<never> => {
    throw await toFailure(error, stage, context.log)
  }

  /** Undefined once the caller is known and may call. */
  const identify = (context: DoorContext): Promise<void> | undefined => {
    if (!guard) return undefined
    let user: ReturnType<Guard>
    try {
      user = context.deadline.limit(withContext(context, guard, context))
    } catch (error) {
      user = fail(error, 'guard', context)
    }
    if (!(user instanceof Promise)) {
      context.identify(user)
      limiter.release()
      return undefined
    }
    return user
      .then(
        found => context.identify(found),
        error => fail(error, 'guard', context),
      )
      .finally(() => limiter.release())
  }
  const admit = (request: FastifyRequest): Promise<void> | undefined => {
    if (access === 'internal' && isForwarded(request.headers)) throw new ROUTE_NOT_FOUND()
    try {
      limiter.refuseWhenFull()
    } catch (error) {
      throw refused(error)
    }
    const context = new DoorContext({
      door: 'http',
      requestId: request.id,
      headers: request.headers as Readonly<Record<string, string | undefined>>,
      // Armed as soon as something takes its time.
      deadline: new Deadline(timeoutMs, false),
      log,
      consumer: consumerOf(request),
      clientAddress: clientAddressOf(request, trusts),
    })
    exchangeOf(request).context = context
    const turn = guard && enter(context, false)
    const pending = turn ? turn.then(() => identify(context)) : identify(context)
    if (!withBody) return pending
    // The server's receive time-out limits a slow client's body, not the handler's time.
    return pending ? pending.then(() => context.deadline.pause()) : context.deadline.pause()
  }

  /** What to send; a promise unless everything is there at once. */
  const respond = (exchange: Exchange, context: DoorContext, input: unknown): unknown => {
    const { request, reply } = exchange
    if (sendFile) return sendFile(request, reply, context, async () => pipeline(input, context))
    if (answerStream) return answerStream(reply, context, async () => pipeline(input, context) as Promise<OpenStream>)
    const result = pipeline(input, context)
    return result instanceof Promise ? result.then(each => write(each, request, reply)) : write(result, request, reply)
  }
  const handle = (exchange: Exchange, context: DoorContext, files: object | undefined): unknown => {
    let input: unknown
    try {
      input = readInput(exchange.request)
    } catch (error) {
      return fail(error, 'input', context)
    }
    if (!(input instanceof Promise)) return respond(exchange, context, withFiles(input, files))
    context.deadline.arm()
    return input.then(
      read => respond(exchange, context, withFiles(read, files)),
      error => fail(error, 'input', context),
    )
  }
  /** The handler is done: whether its client takes the answer no longer matters. That of a file or a stream is not yet. */
  const leave = ({ reply }: Exchange, context: DoorContext): void => {
    limiter.release()
    if (sendFile || answerStream) return
    if (idempotencyKey && isReplay(context)) reply.header('idempotent-replayed', 'true')
    context.deadline[Symbol.dispose]()
  }
  const answer = (exchange: Exchange, context: DoorContext, files: object | undefined): unknown => {
    let outcome: unknown
    try {
      outcome = handle(exchange, context, files)
    } catch (error) {
      leave(exchange, context)
      throw error
    }
    if (outcome instanceof Promise) return outcome.finally(() => leave(exchange, context))
    leave(exchange, context)
    return outcome
  }

  const receive = receiving((request, _reply, files) => {
    const exchange = exchangeOf(request)
    const { context } = exchange
    if (!context) throw new Error('a request reached its handler without a context')
    if (withBody) context.deadline.resume()
    const turn = enter(context, guard !== undefined)
    return turn ? turn.then(() => answer(exchange, context, files)) : answer(exchange, context, files)
  })

  mount({
    method,
    url,
    config: {
      procedure: `${procedure.service}.${procedure.name}`,
      // It has its own limiter.
      limits: false,
      withoutNumbers: !mayHaveNumbers(fieldsOfInput(input) ?? {}),
      ...(access === 'internal' || access === 'key' ? { gateway: access } : {}),
    },
    ...(bodyLimitBytes === undefined ? {} : { bodyLimit: bodyLimitBytes }),
    // The caller is identified before the body is read: for an anonymous one we parse nothing, and it learns nothing about the schema.
    onRequest: (request, _reply, done) => {
      const pending = admit(request)
      if (pending) return void pending.then(() => done(), done)
      done()
    },
    handler: sendFile || answerStream ? receive : (request, reply) => exchangeOf(request).send(receive(request, reply)),
  })
}

function withFiles(input: unknown, files: object | undefined): unknown {
  return files ? { ...(input as object | undefined), ...files } : input
}
