import type { AuthenticationProvider, AuthorizationProvider, Middleware } from '../call/index.ts'
import type { Contract } from '../contract/index.ts'
import type { NatsClient } from '../nats/index.ts'
import type { Controller } from './controller.ts'
import type { Dependency } from './dependency.ts'
import type { Implementation } from './implement.ts'
import type { Reaction } from './on.ts'

/** What a module or controller does: contracts that it implements, and events that it handles. */
export type ServiceHandlers = readonly (Implementation | Reaction)[]

/**
 * A service's parts, wired by hand in one readable function, which takes overrides for tests. Nothing is connected in it, so that
 * tools can build it, too.
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
  /** What the service does, made by `implement` and `on`. */
  readonly handlers?: ServiceHandlers
  /** For what belongs to one door alone. */
  readonly controllers?: readonly Controller[]
  /** Contracts whose procedures it calls over NATS. */
  readonly calls?: readonly Contract[]
  /** Contracts whose events it announces, beside those that it implements. */
  readonly publishes?: readonly Contract[]
  /** Who calls? Needed where a procedure asks for a user, here or in a controller without one of its own. */
  readonly authentication?: AuthenticationProvider
  /** May they? Needed where a procedure asks for a role. */
  readonly authorization?: AuthorizationProvider
  /**
   * Everything to connect before the first request, in order. NATS comes before them by itself, and is closed after them.
   * Default: nothing else.
   */
  readonly dependencies?: readonly Dependency[]
  /** Absent = a service without NATS; then no procedure may have a NATS door. */
  readonly nats?: NatsClient
  /** Runs around every handler of both doors; the first is the outermost. */
  readonly middleware?: readonly Middleware[]
  /** Work to be done once everything is connected, before the doors open: migrations, indexes, seeds. */
  readonly prepare?: readonly Preparation[]
}

export interface Preparation {
  /** Shown in the start-up log, e.g. `migrations`. */
  readonly name: string
  run(): Promise<void>
}
