import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  type CallContext,
  createPipeline,
  failureOf,
  type Guard,
  guardOf,
  type Handler,
  type Log,
  type Middleware,
  withContext,
} from '../call/index.ts'
import { type BoundProcedure, type Contract, parseRoute, proceduresOf } from '../contract/index.ts'
import { ROUTE_NOT_FOUND } from '../errors/index.ts'
import { describeSchema } from '../schema/index.ts'
import { SUCCESS_CODE, successSchema } from './envelope.ts'
import { isForwarded } from './forwarded.ts'
import { compileInput } from './input.ts'
import { contextOf } from './request-context.ts'

/** One handler for each procedure of a contract that has an HTTP door. */
export type HttpHandlers<C extends Contract> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure'; readonly http: string }
    ? K
    : never]: C[K] extends BoundProcedure<infer S> ? Handler<S> : never
}

export interface RoutesOptions {
  readonly server: FastifyInstance
  /** Prefix of every route, e.g. `/` or `/v1`. */
  readonly basePath: string
  readonly authentication: AuthenticationProvider
  readonly authorization: AuthorizationProvider
  readonly middleware: readonly Middleware[]
  /** Milliseconds a handler may take unless its procedure says otherwise. */
  readonly timeoutMs: number
  readonly log: Log
  /** Told of every procedure that got a handler. */
  readonly onImplemented: (procedure: BoundProcedure) => void
}

/** Mounts procedures at the HTTP door. */
export class Routes {
  readonly #options: RoutesOptions

  constructor(options: RoutesOptions) {
    this.#options = options
  }

  /** Fastify itself, for its plugins, raw replies, files and cookies. Routes added here bypass the contracts. */
  get fastify(): FastifyInstance {
    return this.#options.server
  }

  /**
   * Gives every HTTP procedure of a contract its handler; a missing one does not compile.
   *
   * @example
   * routes.implement(reading, { findBySlug: ({ params }) => blogs.findBySlug(params.slug) })
   */
  implement<C extends Contract>(contract: C, handlers: HttpHandlers<C>): void {
    for (const procedure of proceduresOf(contract)) {
      const handler = (handlers as Record<string, Handler | undefined>)[procedure.name]
      if (procedure.http && handler) this.#mount(procedure, handler)
    }
  }

  #mount(procedure: BoundProcedure, handler: Handler): void {
    const { server, basePath, authentication, authorization, middleware, onImplemented } = this.#options
    const { method, path } = parseRoute(procedure.http ?? '')
    const guard = guardOf(procedure.access, authentication, authorization)
    const readInput = compileInput(procedure)
    const pipeline = createPipeline(procedure, handler, middleware)
    const status = procedure.status ?? 200
    const message = procedure.message ?? 'Success'
    const contexts = new WeakMap<FastifyRequest, CallContext>()
    const data = procedure.response ? describeSchema(procedure.response) : undefined
    server.route({
      method,
      url: joinPaths(basePath, path),
      ...(procedure.bodyLimitBytes === undefined ? {} : { bodyLimit: procedure.bodyLimitBytes }),
      schema: { response: { [status]: procedure.bare ? (data ?? {}) : successSchema(data) } },
      // The caller is known before the body is read: an anonymous one makes us parse nothing and learns nothing of the schema.
      onRequest: async (request, reply) => {
        contexts.set(request, await this.#admit(procedure, guard, request, reply))
      },
      handler: async (request, reply) => {
        const context = contexts.get(request)
        if (!context) throw new Error('a request reached its handler without a context')
        const input = await readInput(request).catch(error => this.#fail(error, 'door', procedure, context))
        const answer = await pipeline(input, context).catch(error => this.#fail(error, 'handler', procedure, context))
        reply.code(status)
        return procedure.bare ? answer : { code: SUCCESS_CODE, status, message, data: answer }
      },
    })
    onImplemented(procedure)
  }

  async #admit(
    procedure: BoundProcedure,
    guard: Guard | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<CallContext> {
    if (procedure.access === 'internal' && isForwarded(request.headers)) throw new ROUTE_NOT_FOUND()
    const context = contextOf(request, reply, procedure.timeoutMs ?? this.#options.timeoutMs, this.#options.log)
    if (!guard) return context
    const user = await withContext(context, () => guard(context)).catch(error =>
      this.#fail(error, 'door', procedure, context),
    )
    return { ...context, user, log: context.log.child({ userId: user.id }) }
  }

  #fail(error: unknown, stage: 'door' | 'handler', procedure: BoundProcedure, context: CallContext): never {
    throw failureOf(error, stage, procedure, context.log)
  }
}

function joinPaths(base: string, path: string): string {
  return base === '/' ? path : `${base.replace(/\/$/, '')}${path}`
}
