import { profile, validation } from '@blog-platform/auth-contract'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  circuitBreaker,
  currentContext,
  type Log,
  type Module,
  NatsClient,
  retry,
} from 'tsmicro'
import type { CacheStore } from 'tsmicro/cache'
import { createMongo, type Mongo } from 'tsmicro/mongo'
import { authorHandlers } from '../api/author/handlers.ts'
import { AuthorRepository } from '../api/author/repository.ts'
import { AuthorService } from '../api/author/service.ts'
import { AuthoringService } from '../api/blog/authoring-service.ts'
import { PublicBlogCache } from '../api/blog/cache.ts'
import { EditingService } from '../api/blog/editing-service.ts'
import { authoringHandlers, editingHandlers, readingHandlers } from '../api/blog/handlers.ts'
import { BlogListRepository } from '../api/blog/list-repository.ts'
import { ListingService } from '../api/blog/listing-service.ts'
import { ReadingService } from '../api/blog/reading-service.ts'
import { BlogRepository } from '../api/blog/repository.ts'
import type { Env } from '../config/env.ts'
import { dropFormerIndexes, upgradeFormerBlogs } from '../database/former-blogs.ts'
import { createAuthentication } from './authentication.ts'
import { createAuthorization } from './authorization.ts'
import { createStore } from './cache-store.ts'
import { blogIndexes } from './indexes.ts'

/** What a test may put in place of the real thing. */
export interface Parts {
  readonly log: Log
  readonly mongo: Mongo
  readonly nats: NatsClient
  readonly store: CacheStore
  readonly authentication: AuthenticationProvider
  readonly authorization: AuthorizationProvider
}

/** Longer than any query of this service takes; shorter than a client waits. */
const MONGO_TIMEOUT_MS = 5000

/** What can't answer for longer than this is told to the client, who decides whether to wait. */
const RETRY_MAX_MS = 250

/** Far longer than an answer of the auth service takes; an instance that died with a question leaves time for another. */
const RETRY_ATTEMPT_MS = 1000

/** Wires the service's parts. Nothing is connected yet. */
export function createModule(env: Env, overrides: Partial<Parts> = {}): Module {
  const mongo =
    overrides.mongo ??
    createMongo({
      url: env.MONGODB_URL,
      database: env.MONGODB_DATABASE,
      applicationName: 'blog',
      operationTimeoutMs: MONGO_TIMEOUT_MS,
      currentSignal: () => currentContext()?.deadline.signal,
    })
  const logged = overrides.log ? { log: overrides.log } : {}
  const nats =
    overrides.nats ??
    new NatsClient({
      url: env.NATS_URL,
      name: 'blog',
      middleware: [circuitBreaker(logged), retry({ maxMs: RETRY_MAX_MS, attemptMs: RETRY_ATTEMPT_MS })],
      ...logged,
    })
  const store = overrides.store ?? createStore(env, { mongo, nats, log: overrides.log })
  const authentication =
    overrides.authentication ??
    createAuthentication({
      nats,
      store,
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      keysSeconds: env.JWT_KEYS_SECONDS,
    })
  const authorization = overrides.authorization ?? createAuthorization(nats)

  const cache = new PublicBlogCache(store)
  const blogs = new BlogRepository(mongo, blogIndexes)
  const lists = new BlogListRepository(mongo)
  const authors = new AuthorService({
    authors: new AuthorRepository(mongo),
    fetchProfile: id => nats.client(profile).publicProfile({ id }),
    onChange: id => cache.authorChanged(id),
  })
  const reading = new ReadingService(blogs, authors, cache)
  const listing = new ListingService(blogs, lists, cache)
  return {
    nats,
    handlers: [
      readingHandlers(reading, listing),
      authoringHandlers(new AuthoringService(blogs, lists, authors, cache)),
      editingHandlers(new EditingService(blogs, lists, authors, cache)),
      ...authorHandlers(authors),
    ],
    calls: [validation, profile],
    authentication,
    authorization,
    // Closed in reverse: the store gives its place among the replicas back while it can reach MongoDB.
    dependencies: [mongo, store],
    prepare: [
      { name: 'indexes of before', run: () => dropFormerIndexes(mongo) },
      { name: 'indexes', run: () => mongo.ensureIndexes() },
      { name: 'blogs of before revisions', run: () => upgradeFormerBlogs(mongo) },
    ],
  }
}
