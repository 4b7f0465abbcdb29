import type { Cache, CacheName, CacheOptions } from './cache.ts'
import { thisProcess } from './coordinator.ts'
import { LayeredCache, type ShareFetch } from './layered-cache.ts'
import { copies, createMemory, frozen as frozenForm } from './memory.ts'
import { RedisLayer, type RedisOptions } from './redis/layer.ts'
import type { ReplicasOptions } from './replicas/options.ts'
import { Replica } from './replicas/replica.ts'
import type { CacheLog } from './replicas/servers.ts'
import { EVERYTHING, type TagsByCache } from './tags.ts'

interface CacheStoreOptions {
  /**
   * Maximum number of values in memory, over all caches of the store; the least recently used are evicted first. Default 10000.
   */
  readonly maxItems?: number
  /** Maximum number of bytes in memory, over all caches of the store. Default: only `maxItems` applies. */
  readonly maxSizeBytes?: number
  /** How long a value is kept if its cache has no `ttlMs`, in milliseconds. Default 60000. */
  readonly ttlMs?: number
  /** How several processes that cache the same keep each other's caches fresh. Default: this process is the only one. */
  readonly replicas?: ReplicasOptions
  /** A layer below memory that the replicas share. Requires `replicas`. While it is down, the store works without it. */
  readonly redis?: RedisOptions
  /**
   * Runs each fetch that several callers may wait for; the signal aborts when nobody waits. In a service use
   * `withSharedContext`, or the fetch ends with the call that happened to start it. Default: the fetch is simply run.
   */
  readonly share?: ShareFetch
  /** Receives one line for each change of whether the replicas and Redis can be used. */
  readonly log?: CacheLog
}

/** Holds the values of all caches of a process. */
export interface CacheStore {
  readonly name: 'cache'
  /** Begins to connect to the replicas and Redis. Until they can be reached, every value is fetched. */
  connect(): Promise<void>
  /** Never rejects: a service whose store cannot cache is still able to take requests. */
  check(): Promise<void>
  /**
   * Leaves the replicas. Close the store before the database and NATS, so that nobody has to wait for it. Takes at most three
   * seconds, even if servers are gone; an invalidation that is still in progress then rejects.
   */
  close(): Promise<void>
  /** Whether values may be served from the cache now: false until the replicas were reached, and while they can't be. */
  readonly sharing: boolean
  /**
   * A typed part of the store. `T` must survive JSON: a type that contains a Date does not compile.
   * @param namespace letters, digits, `-`, `_`, `.`; one cache per namespace
   * @throws {TypeError} for a namespace of another form, or one that is already taken
   */
  cache<T>(namespace: CacheName<T>, options?: CacheOptions): Cache<T>
}

/**
 * A store in memory; optionally with replicas, if several processes cache the same, and with Redis.
 *
 * @throws {TypeError} for `redis` without `replicas`
 * @example
 * const store: CacheStore = createCacheStore({ maxItems: 5000 })
 * const blogs: Cache<PublicBlog> = store.cache<PublicBlog>('blog', { ttlMs: 300_000 })
 * const blog = await blogs.getOrSet(id, () => repository.findById(id), { tags: blog => [`author:${blog.author}`] })
 * await blogs.delete(id) // from here on, nobody gets a value that was fetched before
 * @example
 * const registry: ReplicaRegistry = createMongoMembership(mongo, 'cache-replicas')
 * const bus: CacheBus = createNatsBroadcast(nats, cacheSubjectOf('blog'))
 * const store = createCacheStore({ replicas: { registry, bus }, redis: { url: 'redis://127.0.0.1:6379', prefix: 'blog' } })
 */
export function createCacheStore(options: CacheStoreOptions = {}): CacheStore {
  const { maxItems = 10_000, maxSizeBytes, ttlMs: storeTtlMs = 60_000, replicas, redis, share, log } = options
  if (redis && !replicas) {
    throw new TypeError(
      'a cache store with redis also needs replicas: the registry says which entries in Redis are valid',
    )
  }
  const memory = createMemory(maxItems, maxSizeBytes)
  const taken = new Set<string>()
  const shared = new Map<string, LayeredCache<unknown>>()
  const caches = {
    invalidate(tags: TagsByCache) {
      for (const [name, list] of tags) shared.get(name)?.invalidate(list)
    },
    invalidateAll() {
      for (const cache of shared.values()) cache.invalidate([EVERYTHING])
    },
  }
  const replica = replicas && new Replica({ ...replicas, caches, log })
  const layer = redis && replica && new RedisLayer(redis, replica, log)
  if (replica) replica.shared = layer
  return {
    name: 'cache',
    async connect() {
      await layer?.connect()
      replica?.membership.start()
    },
    check: async () => undefined,
    async close() {
      await replica?.close()
      layer?.close()
    },
    get sharing() {
      return replica?.trusted ?? true
    },
    cache<T>(namespace: string, { ttlMs = storeTtlMs, local = false, frozen = false }: CacheOptions = {}) {
      // Clearing a cache clears all keys that begin with its name and a colon.
      if (!/^[\w.-]+$/.test(namespace)) throw new TypeError(`a cache can't be named ${JSON.stringify(namespace)}`)
      // Two objects for one namespace would not see each other's fetches, and miss each other's invalidations.
      if (taken.has(namespace)) throw new TypeError(`the cache ${namespace} already exists: share the object`)
      taken.add(namespace)
      const coordinator = local || !replica ? thisProcess : replica
      const form = frozen ? frozenForm : copies
      const cache = new LayeredCache<T>({ name: namespace, memory, form, ttlMs, coordinator, share })
      if (coordinator === replica) shared.set(namespace, cache as LayeredCache<unknown>)
      return cache
    },
  }
}
