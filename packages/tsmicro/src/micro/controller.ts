import type { AuthenticationProvider, AuthorizationProvider } from '../call/index.ts'
import type { Routes } from '../http/index.ts'
import type { ServiceHandlers } from './module.ts'
import type { NatsGroup } from './nats-group.ts'

/**
 * For what belongs to one door alone: Fastify's routes and plugins, subjects without a contract; and a base path or providers that
 * are not the module's. Thin, without business logic.
 *
 * @example
 * class ExportController extends Controller {
 *   override readonly handlers = [implement(reading, { findBySlug: ({ input }) => this.#blogs.findBySlug(input.slug) })]
 *   readonly #blogs: BlogService
 *   constructor(blogs: BlogService) {
 *     super('/v1')
 *     this.#blogs = blogs
 *   }
 *   override mountRoutes(routes: Routes) {
 *     routes.fastify.get('/export.csv', () => 'id,title')
 *   }
 * }
 */
export abstract class Controller {
  /** Prefix of this controller's HTTP routes, `/` for none. */
  readonly basePath: string
  /** Absent = the module's. */
  readonly authentication: AuthenticationProvider | undefined
  /** Absent = the module's. */
  readonly authorization: AuthorizationProvider | undefined
  /** What it does at whichever doors its contracts declare, made by `implement` and `on`. */
  readonly handlers: ServiceHandlers = []

  constructor(basePath = '/', authentication?: AuthenticationProvider, authorization?: AuthorizationProvider) {
    if (!basePath.startsWith('/')) throw new TypeError(`base path ${JSON.stringify(basePath)}: begin it with /`)
    this.basePath = basePath
    this.authentication = authentication
    this.authorization = authorization
  }

  /** HTTP door, for clients. */
  mountRoutes(_routes: Routes): void {}

  /** NATS door: subjects without a contract. */
  mountNats(_nats: NatsGroup): void {}
}
