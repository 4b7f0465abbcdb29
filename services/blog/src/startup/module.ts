import { type PublicProfile, profile, validation } from '@blog-platform/auth-contract'
import { blogEvents } from '@blog-platform/blog-contract'
import {
  cacheSubjectOf,
  circuitBreaker,
  createNatsBroadcast,
  createOutbox,
  createService,
  currentContext,
  type Log,
  type Module,
  NatsClient,
  retry,
  type Service,
  withSharedContext,
} from 'tsmicro'
import { type CacheStore, createCacheStore } from 'tsmicro/cache'
import { createMongo, createMongoMembership, type Mongo } from 'tsmicro/mongo'
import { createLogger } from 'tsmicro/telemetry'
import { authorHandlers } from '../api/author/handlers.ts'
import { AuthorRepository } from '../api/author/repository.ts'
import { AuthorService } from '../api/author/service.ts'
import { Announcements } from '../api/blog/announcements.ts'
import { AuthoringService } from '../api/blog/authoring-service.ts'
import { PublicBlogCache } from '../api/blog/cache.ts'
import { EditingService } from '../api/blog/editing-service.ts'
import { authoringHandlers, editingHandlers, readingHandlers } from '../api/blog/handlers.ts'
import { BlogListRepository } from '../api/blog/list-repository.ts'
import { ReadingService } from '../api/blog/reading-service.ts'
import { BlogRepository } from '../api/blog/repository.ts'
import { CoverService } from '../api/cover/service.ts'
import { dropFormerIndexes, upgradeFormerBlogs } from '../database/former-blogs.ts'
import { blogIndexes } from '../database/indexes.ts'
import { type Env, gatewayDoor } from '../env.ts'
import { accessHandlers, createAccess } from './access.ts'
import { createCoverStore } from './covers.ts'

/** What a test may replace. */
export interface Parts {
  readonly log: Log
  readonly mongo: Mongo
  readonly nats: NatsClient
  readonly store: CacheStore
}

/** If a service stays unavailable for longer than this, the client is told and can decide whether to wait. */
const RETRY_MAX_MS = 250

/** Shares of a request's time. Its queries and calls fail early enough for the client to learn why. */
const OF_A_QUERY = 1 / 2
const OF_A_CALL = 1 / 2
/** Far longer than an answer of the auth service takes. If an instance dies during a call, this leaves time for another one. */
const OF_AN_ATTEMPT = 1 / 10

/** Wires the service's parts without connecting anything. */
export function createModule(env: Env, overrides: Partial<Parts> = {}): Module {
  const mongo =
    overrides.mongo ??
    createMongo({
      url: env.MONGODB_URL,
      database: env.MONGODB_DATABASE,
      applicationName: 'blog',
      operationTimeoutMs: env.REQUEST_TIMEOUT_MS * OF_A_QUERY,
      currentSignal: () => currentContext()?.deadline.signal,
    })
  const logged = overrides.log ? { log: overrides.log } : {}
  const nats =
    overrides.nats ??
    new NatsClient({
      url: env.NATS_URL,
      name: 'blog',
      timeoutMs: env.REQUEST_TIMEOUT_MS * OF_A_CALL,
      middleware: [
        circuitBreaker(logged),
        retry({ maxMs: RETRY_MAX_MS, attemptMs: env.REQUEST_TIMEOUT_MS * OF_AN_ATTEMPT }),
      ],
      ...logged,
    })
  const store = overrides.store ?? createStore(env, mongo, nats, overrides.log)
  const access = createAccess(env, nats)

  const cache = new PublicBlogCache(store)
  const authors = new AuthorService({
    authors: new AuthorRepository(mongo),
    fetchProfile: id => nats.client(profile).publicProfile({ id }),
    cache: store.cache<PublicProfile | undefined>('author', { frozen: true }),
    onChange: id => cache.authorChanged(id),
  })
  const outbox = createOutbox(mongo.outboxStore())
  const blogs = new BlogRepository(mongo, blogIndexes, new Announcements(outbox))
  const covers = new CoverService(blogs, createCoverStore(env), overrides.log)
  const parts = { blogs, lists: new BlogListRepository(mongo), authors, cache, covers }
  return {
    nats,
    handlers: [
      readingHandlers(new ReadingService(parts)),
      authoringHandlers(new AuthoringService(parts)),
      editingHandlers(new EditingService(parts)),
      ...authorHandlers(authors),
      ...accessHandlers(access),
    ],
    calls: [validation, profile],
    publishes: [blogEvents],
    outboxes: [outbox],
    inboxes: [mongo.inboxStore()],
    authentication: access,
    authorization: access,
    // Closed in reverse order: the store deregisters from the replicas while it can still reach MongoDB.
    dependencies: [mongo, store],
    prepare: [
      { name: 'former indexes', run: () => dropFormerIndexes(mongo) },
      { name: 'indexes', run: () => mongo.ensureIndexes() },
      { name: 'blogs from before revisions', run: () => upgradeFormerBlogs(mongo) },
      { name: 'unused covers', run: () => covers.removeAllUnused() },
    ],
  }
}

/** Allowed on top of the lease: to ask which instances there are, to check again, and for delays. */
const LEEWAY_MS = 2500

/**
 * The service's caches, which are consistent across its instances. They are used once MongoDB and NATS are connected.
 * @param limitMs how long until a change is reported as not announced. Default: when every lease has certainly ended
 */
export function createStore(env: Env, mongo: Mongo, nats: NatsClient, log?: Log, limitMs?: number): CacheStore {
  const leaseMs = env.CACHE_LEASE_SECONDS * 1000
  return createCacheStore({
    ttlMs: env.CACHE_TTL_SECONDS * 1000,
    maxSizeBytes: env.CACHE_MAX_MEGABYTES * 1024 * 1024,
    replicas: {
      registry: createMongoMembership(mongo, 'cacheReplicas'),
      bus: createNatsBroadcast(nats, cacheSubjectOf('blog')),
      leaseMs,
      limitMs: limitMs ?? leaseMs + LEEWAY_MS,
    },
    share: withSharedContext,
    ...(env.REDIS_URL === undefined ? {} : { redis: { url: env.REDIS_URL, prefix: 'blog' } }),
    ...(log ? { log } : {}),
  })
}

export const NAME = 'blog'

/**
 * Creates the blog service without starting it.
 *
 * @example
 * const service = createBlogService(loadEnv())
 * await service.start()
 */
export function createBlogService(env: Env, overrides: Partial<Parts> = {}): Service {
  const log = overrides.log ?? createLogger({ name: NAME, level: env.LOG_LEVEL })
  const gateway = gatewayDoor(env)
  return createService({
    name: NAME,
    version: '0.1.0',
    description: 'Blogs: writing, publishing, reading',
    license: 'MIT',
    module: createModule(env, { ...overrides, log }),
    log,
    handlerTimeoutMs: env.REQUEST_TIMEOUT_MS,
    http: { host: env.HOST, port: env.PORT, publicPath: '/blog', ...(gateway ? { gateway } : {}) },
  })
}
