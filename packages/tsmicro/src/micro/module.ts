import type { AuthenticationProvider, AuthorizationProvider, CallContext, Middleware } from '../call/index.ts'
import type { Contract } from '../contract/index.ts'
import type { Announce, Outbox } from '../events/index.ts'
import type { Routes } from '../http/index.ts'
import type { NatsClient } from '../nats/index.ts'
import type { InboxStore } from '../stores/index.ts'
import type { Implementation, Reaction } from './handlers.ts'

/** The contracts that a module or controller implements, and the events that it handles. */
export type ServiceHandlers = readonly (Implementation | Reaction)[]

/**
 * A service's parts, wired by hand in one function that takes overrides for tests. The function neither connects to anything
 * nor reads files, so that tools can build a module too.
 *
 * @example
 * export function createModule(env: Env, overrides: Partial<Parts> = {}): Module {
 *   const mongo = overrides.mongo ?? createMongo({ url: env.MONGODB_URL })
 *   const nats = overrides.nats ?? new NatsClient({ url: env.NATS_URL, name: 'blog' })
 *   const blogs = new BlogService(new BlogRepository(mongo))
 *   return {
 *     nats,
 *     dependencies: [mongo],
 *     handlers: [implement(reading, { findBySlug: ({ input }) => blogs.findBySlug(input.slug) })],
 *     calls: [validation],
 *     authentication,
 *     authorization,
 *   }
 * }
 */
export interface Module {
  /** Made by `implement` and `on`. */
  readonly handlers?: ServiceHandlers
  /** For everything that belongs to one door alone. */
  readonly controllers?: readonly Controller[]
  /** Contracts whose procedures the service calls over NATS. */
  readonly calls?: readonly Contract[]
  /** Contracts whose events the service publishes, in addition to those that it implements. */
  readonly publishes?: readonly Contract[]
  /** Milliseconds for which the streams of its events keep them. Default 30 days. */
  readonly keepEventsMs?: number
  /** Finds out who the caller is. Required if a procedure needs a user, here or in a controller without its own provider. */
  readonly authentication?: AuthenticationProvider
  /** Decides whether they may. Required if a procedure needs a role. */
  readonly authorization?: AuthorizationProvider
  /**
   * Everything to connect before the first request, in this order. NATS is connected before them without being listed, and
   * closed after them. Default: none.
   */
  readonly dependencies?: readonly Dependency[]
  /** Absent for a service without NATS: then no procedure may have a NATS door. */
  readonly nats?: NatsClient
  /** Where handlers of events record what they have handled, for their effects: `[postgres.inboxStore()]`. */
  readonly inboxes?: readonly InboxStore[]
  /** Runs around every handler at both doors; the first is the outermost. */
  readonly middleware?: readonly Middleware[]
  /** What its changes announce, sent by this service while it runs. The database is one of its dependencies. */
  readonly outboxes?: readonly Outbox<never>[]
  /**
   * How current states are announced again, by the first token of the events' subjects, for consumers that lack events which are stored no
   * longer. An operator asks for it: `tsmicro events announce`. A call announces some aggregates, or the one that it names, each with
   * `restart`, and returns how many and where to go on.
   */
  readonly announces?: Readonly<Record<string, Announce>>
  /** Work to do after everything is connected and before the doors open: migrations, indexes, seeds. */
  readonly prepare?: readonly Preparation[]
}

export interface Preparation {
  /** Shown in the log at start, e.g. `migrations`. */
  readonly name: string
  run(): Promise<void>
}

/**
 * Subjects without a contract, for a controller's `mountNats`.
 *
 * @example
 * class Clock extends Controller {
 *   override mountNats(group: NatsGroup) {
 *     group.addEndpoint('time', () => new Date().toISOString())
 *   }
 * }
 * const module: Module = { nats, controllers: [new Clock()] }
 */
export interface NatsGroup {
  /**
   * Serves `<service>.<name>` as in gomicro: the handler gets whatever JSON is in `data`, and whatever it returns is the
   * answer. Nothing is validated or typed: prefer a contract and `implement`.
   */
  addEndpoint(name: string, handle: (data: unknown, context: CallContext) => unknown): void
}

/**
 * For everything that belongs to one door alone, such as Fastify's routes and plugins or subjects without a contract, and for a
 * base path or providers that differ from the module's. Thin, without business logic.
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
  /** The prefix of this controller's HTTP routes, `/` for none. */
  readonly basePath: string
  /** Default: the module's. */
  readonly authentication: AuthenticationProvider | undefined
  /** Default: the module's. */
  readonly authorization: AuthorizationProvider | undefined
  /** Served at every door that their contracts declare; made by `implement` and `on`. */
  readonly handlers: ServiceHandlers = []

  constructor(basePath = '/', authentication?: AuthenticationProvider, authorization?: AuthorizationProvider) {
    if (!basePath.startsWith('/')) throw new TypeError(`base path ${JSON.stringify(basePath)}: it has to begin with /`)
    this.basePath = basePath
    this.authentication = authentication
    this.authorization = authorization
  }

  /** The HTTP door, for clients. */
  mountRoutes(_routes: Routes): void {}

  /** The NATS door: subjects without a contract. */
  mountNats(_nats: NatsGroup): void {}
}

/**
 * Something that a service cannot work without, such as a database. Connected at start in the listed order, closed in reverse.
 *
 * @example
 * const search: Dependency = {
 *   name: 'search',
 *   connect: async () => {},
 *   check: async () => {},
 *   close: async () => {},
 * }
 * const module: Module = { dependencies: [search] }
 */
export interface Dependency {
  readonly name: string
  /**
   * Repeated until it succeeds or the time for the start is over; an `UnusableError` of `tsmicro`, also as a cause, ends that
   * at once.
   */
  connect(): Promise<void>
  /** Rejects if the dependency cannot be used now; answers within about two seconds. */
  check(): Promise<void>
  close(): Promise<void>
}

/** The module's own handlers, or a controller: whatever is mounted together. */
export type Part = Pick<
  Controller,
  'basePath' | 'authentication' | 'authorization' | 'handlers' | 'mountRoutes' | 'mountNats'
> & {
  /** For error messages. */
  readonly label: string
}

/** A controller without its own providers has the module's. */
export function partsOf({ handlers = [], controllers = [], authentication, authorization }: Module): readonly Part[] {
  const nothing = () => {}
  const doors = { basePath: '/', mountRoutes: nothing, mountNats: nothing }
  const own: Part = { label: 'the module', ...doors, authentication, authorization, handlers }
  const others = controllers.map(controller => ({
    label: controller.constructor.name,
    basePath: controller.basePath,
    authentication: controller.authentication ?? authentication,
    authorization: controller.authorization ?? authorization,
    handlers: controller.handlers,
    mountRoutes: controller.mountRoutes.bind(controller),
    mountNats: controller.mountNats.bind(controller),
  }))
  return [own, ...others]
}
