import type { FastifyRequest } from 'fastify'
import {
  createPipeline,
  createTellFailure,
  type DoorContext,
  guardOf,
  type Handler,
  withContext,
} from '../call/index.ts'
import { type BoundProcedure, type HttpMethod, hasNoBody } from '../contract/index.ts'
import { ROUTE_NOT_FOUND } from '../errors/index.ts'
import { mayHaveNumbers } from '../schema/index.ts'
import { compileAnswer } from './answer.ts'
import { compileTrusts } from './client-address.ts'
import { isForwarded } from './forwarded.ts'
import { compileReadInput } from './input.ts'
import { contextOf } from './request-context.ts'
import type { RoutesOptions } from './routes.ts'
import { Turns } from './turns.ts'

interface MountOptions extends Omit<RoutesOptions, 'onImplemented' | 'basePath'> {
  readonly procedure: BoundProcedure
  readonly handler: Handler
  readonly method: HttpMethod
  readonly url: string
}

/** Builds the way of one procedure's requests, everything compiled beforehand, and adds it to the server. */
export function mountRoute(options: MountOptions): void {
  const { procedure, server, method, url, limits, log } = options
  const timeoutMs = procedure.timeoutMs ?? options.timeoutMs
  const trusts = compileTrusts(options.trustedProxies ?? [])
  const guard = guardOf(procedure.access, options.authentication, options.authorization)
  const tellFailure = createTellFailure(procedure)
  const readInput = compileReadInput(procedure)
  const pipeline = createPipeline(procedure, options.handler, options.middleware, tellFailure)
  const answer = compileAnswer(procedure)
  const withBody = !hasNoBody(method)
  const turns = new Turns({ limits, route: `${method} ${url}`, tellFailure, log })
  const contexts = new WeakMap<FastifyRequest, DoorContext>()
  server.route({
    method,
    url,
    // It has places of its own.
    config: {
      procedure: `${procedure.service}.${procedure.name}`,
      limits: false,
      withoutNumbers: !mayHaveNumbers(procedure.input ?? {}),
      ...(procedure.access === 'internal' || procedure.access === 'key' ? { gateway: procedure.access } : {}),
    },
    ...(procedure.bodyLimitBytes === undefined ? {} : { bodyLimit: procedure.bodyLimitBytes }),
    // The caller is known before the body is read: an anonymous one makes us parse nothing and learns nothing of the schema.
    onRequest: async (request, reply) => {
      if (procedure.access === 'internal' && isForwarded(request.headers)) throw new ROUTE_NOT_FOUND()
      turns.refuseWhenFull()
      const context = contextOf(request, reply, { timeoutMs, trusts, log })
      contexts.set(request, context)
      if (guard) {
        const turn = turns.enter(context, false)
        if (turn) await turn
        try {
          context.identify(await context.deadline.race(withContext(context, () => guard(context))))
        } catch (error) {
          throw await tellFailure(error, 'guard', context.log)
        } finally {
          turns.leave()
        }
      }
      // A slow client's body is the server's receive time-out's business, not the handler's.
      if (withBody) context.deadline.pause()
    },
    handler: async (request, reply) => {
      const context = contexts.get(request)
      if (!context) throw new Error('a request reached its handler without a context')
      if (withBody) context.deadline.resume()
      const turn = turns.enter(context, guard !== undefined)
      if (turn) await turn
      try {
        let input: unknown
        try {
          const read = readInput(request)
          input = read instanceof Promise ? await read : read
        } catch (error) {
          throw await tellFailure(error, 'input', context.log)
        }
        let body: string | undefined
        try {
          body = answer(await pipeline(input, context))
        } finally {
          // As far as the handler is concerned it is answered: whether its client takes the answer no longer matters.
          context.deadline[Symbol.dispose]()
        }
        reply.code(procedure.status ?? 200)
        if (body !== undefined) reply.header('content-type', 'application/json; charset=utf-8')
        return body
      } finally {
        turns.leave()
      }
    },
  })
}
