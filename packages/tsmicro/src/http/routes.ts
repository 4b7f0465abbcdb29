import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  CallerGoneError,
  createFailureMapper,
  createPipeline,
  Deadline,
  DoorContext,
  type EndpointLimits,
  guardOf,
  type Handler,
  isReplay,
  Limiter,
  type Log,
  type Middleware,
  type OpenStream,
  ThrottledLog,
  withContext,
} from '../call/index.ts'
import { type BoundProcedure, fieldsOfInput, hasNoBody, isStream, parseRoute } from '../contract/index.ts'
import { ROUTE_NOT_FOUND } from '../errors/index.ts'
import { mayHaveNumbers } from '../schema/index.ts'
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
  const contexts = new WeakMap<FastifyRequest, DoorContext>()
  const contextOf = (request: FastifyRequest) => contexts.get(request)

  // A request holds a place while its caller is identified and while it is handled, but not while it sends its body: slow clients
  // would take all of them.
  const limiter = new Limiter(limits)
  const overload = new ThrottledLog(log, 'overloaded: requests are refused')
  const refused = (error: unknown) => {
    // There may be very many, so they are not logged one by one.
    overload.warn({ route })
    return error
  }
  const { mount, receiving } = compileUpload(procedure, { ...options, readInput, toFailure, contextOf, refused })
  const sendFile = compileSendFile(procedure, { ...options, timeoutMs, toFailure, refused })
  const answerStream = isStream(procedure.output) ? compileStreams(options, refused) : undefined
  /** Undefined if the request has its place at once. @param again it had one before */
  const enter = (context: DoorContext, again: boolean): Promise<void> | undefined => {
    const { deadline } = context
    try {
      const turn = again ? limiter.reacquire(deadline) : limiter.acquire(deadline)
      return turn?.catch(async error => {
        throw await toFailure(error, 'guard', context.log)
      })
    } catch (error) {
      throw refused(error)
    }
  }

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
    onRequest: async (request, reply) => {
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
        deadline: deadlineOf(reply, timeoutMs),
        log,
        consumer: consumerOf(request),
        clientAddress: clientAddressOf(request, trusts),
      })
      contexts.set(request, context)
      if (guard) {
        const turn = enter(context, false)
        if (turn) await turn
        try {
          context.identify(await context.deadline.race(withContext(context, () => guard(context))))
        } catch (error) {
          throw await toFailure(error, 'guard', context.log)
        } finally {
          limiter.release()
        }
      }
      // The server's receive time-out limits a slow client's body, not the handler's time.
      if (withBody) context.deadline.pause()
    },
    handler: receiving(async (request, reply, files) => {
      const context = contextOf(request)
      if (!context) throw new Error('a request reached its handler without a context')
      if (withBody) context.deadline.resume()
      const turn = enter(context, guard !== undefined)
      if (turn) await turn
      try {
        let value: unknown
        try {
          const read = readInput(request)
          value = read instanceof Promise ? await read : read
        } catch (error) {
          throw await toFailure(error, 'input', context.log)
        }
        if (files) value = { ...(value as object | undefined), ...files }
        if (sendFile) return await sendFile(request, reply, context, () => pipeline(value, context))
        if (answerStream)
          return await answerStream(reply, context, () => pipeline(value, context) as Promise<OpenStream>)
        try {
          return write(await pipeline(value, context), request, reply)
        } finally {
          if (idempotencyKey && isReplay(context)) reply.header('idempotent-replayed', 'true')
          // The handler is done: whether its client takes the answer no longer matters.
          context.deadline[Symbol.dispose]()
        }
      } finally {
        limiter.release()
      }
    }),
  })
}

/** The deadline of a request. It ends with the connection or the answer, whichever is first. */
function deadlineOf({ raw }: FastifyReply, timeoutMs: number): Deadline {
  const deadline = new Deadline(timeoutMs)
  raw.once('close', () => {
    if (raw.writableFinished) deadline[Symbol.dispose]()
    else deadline.cancel(new CallerGoneError())
  })
  return deadline
}
