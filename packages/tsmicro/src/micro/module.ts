import type { Middleware } from '../call/index.ts'
import type { NatsClient } from '../nats/index.ts'
import type { Controller } from './controller.ts'
import type { Dependency } from './dependency.ts'

/**
 * A service's parts, wired by hand in one readable function, which takes overrides for tests:
 *
 * @example
 * export function createModule(env: Env, overrides: Partial<Parts> = {}): Module {
 *   const mongo = overrides.mongo ?? createMongo({ url: env.MONGODB_URL })
 *   const nats = overrides.nats ?? new NatsClient({ url: env.NATS_URL, name: 'blog' })
 *   const blogs = new BlogService(new BlogRepository(mongo))
 *   return { dependencies: [mongo], nats, controllers: [new BlogController(authentication, authorization, blogs)] }
 * }
 */
export interface Module {
  readonly controllers: readonly Controller[]
  /** Everything to connect before the first request, in order. NATS comes before them by itself, and is closed after them. */
  readonly dependencies: readonly Dependency[]
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
