import type { AuthenticationProvider, AuthorizationProvider } from '../call/index.ts'
import type { Routes } from '../http/index.ts'
import type { NatsGroup } from './nats-group.ts'

/**
 * Mounts procedures at the two doors; thin, without business logic.
 *
 * @example
 * class BlogController extends Controller {
 *   readonly #blogs: BlogService
 *   constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, blogs: BlogService) {
 *     super('/', authentication, authorization)
 *     this.#blogs = blogs
 *   }
 *   override mountRoutes(routes: Routes) {
 *     routes.implement(reading, { findBySlug: ({ params }) => this.#blogs.findBySlug(params.slug) })
 *   }
 * }
 */
export abstract class Controller {
  /** Prefix of this controller's HTTP routes, `/` for none. */
  readonly basePath: string
  readonly authentication: AuthenticationProvider
  readonly authorization: AuthorizationProvider

  constructor(basePath: string, authentication: AuthenticationProvider, authorization: AuthorizationProvider) {
    if (!basePath.startsWith('/')) throw new TypeError(`base path ${JSON.stringify(basePath)}: begin it with /`)
    this.basePath = basePath
    this.authentication = authentication
    this.authorization = authorization
  }

  /** HTTP door, for clients. */
  mountRoutes(_routes: Routes): void {}

  /** NATS door, for other services; and the events this service handles. */
  mountNats(_nats: NatsGroup): void {}
}
