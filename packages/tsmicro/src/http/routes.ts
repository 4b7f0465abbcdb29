import type { FastifyInstance } from 'fastify'
import type {
  AuthenticationProvider,
  AuthorizationProvider,
  EndpointLimits,
  Handler,
  Log,
  Middleware,
} from '../call/index.ts'
import { type BoundProcedure, type Contract, entriesOf, parseRoute } from '../contract/index.ts'
import { mountRoute } from './mount.ts'

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
  readonly authentication: AuthenticationProvider | undefined
  readonly authorization: AuthorizationProvider | undefined
  readonly middleware: readonly Middleware[]
  /** Milliseconds a handler may take unless its procedure says otherwise. */
  readonly timeoutMs: number
  /** Proxies whose word on a client's address is believed. Default none. */
  readonly trustedProxies?: readonly string[] | undefined
  /** Of every endpoint that has none of its own. */
  readonly limits?: EndpointLimits | undefined
  readonly log: Log
  /** Told of every procedure that gets a handler, at which route (`GET /v1/slug/:slug`), and of its contract. */
  readonly onImplemented: (procedure: BoundProcedure, route: string, contract: Contract) => void
}

/** Mounts procedures at the HTTP door. */
export class Routes {
  readonly #options: RoutesOptions

  constructor(options: RoutesOptions) {
    this.#options = options
  }

  /**
   * Fastify itself, for its plugins, raw replies, files and cookies. Routes added here bypass the contracts: they have no access rule
   * of their own, keep the status of what they throw (`{ statusCode: 422 }`), and take as much as `config.limits` say. What does not
   * end by itself, such as a stream, is to be ended in `preClose`, or it holds up a stop for `drainTimeoutMs`.
   *
   * @example
   * const streams = new Set<{ end(): void }>()
   * routes.fastify.get('/live', (_request, reply) => void streams.add(reply.hijack().raw))
   * routes.fastify.addHook('preClose', async () => streams.forEach(stream => stream.end()))
   */
  get fastify(): FastifyInstance {
    return this.#options.server
  }

  /**
   * Gives every HTTP procedure of a contract its handler; a missing one does not compile.
   *
   * @example
   * routes.implement(reading, { findBySlug: ({ input }) => blogService.findBySlug(input.slug) })
   * @param limits how much each of these endpoints takes. Default: the service's
   */
  implement<C extends Contract>(
    contract: C,
    handlers: HttpHandlers<C>,
    limits: EndpointLimits | undefined = this.#options.limits,
  ): void {
    const { basePath, onImplemented } = this.#options
    for (const [key, procedure] of entriesOf(contract)) {
      const handler = (handlers as Record<string, Handler | undefined>)[key]
      if (!procedure.http || !handler) continue
      const { method, path } = parseRoute(procedure.http)
      const url = joinPaths(basePath, path)
      onImplemented(procedure, `${method} ${url}`, contract)
      mountRoute({ ...this.#options, limits, procedure, handler, method, url })
    }
  }
}

function joinPaths(base: string, path: string): string {
  const prefix = base.replace(/\/$/, '')
  return path === '/' && prefix !== '' ? prefix : `${prefix}${path}`
}
