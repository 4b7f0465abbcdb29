import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import type { Cache, CacheOptions } from './cache.ts'
import type { CacheName } from './json.ts'
import { LayeredCache, type ShareFetch } from './layered-cache.ts'
import { EVERYTHING, type MarksByCache } from './marks.ts'
import { thisProcess } from './reach.ts'
import { RedisLayer, type RedisOptions } from './redis/layer.ts'
import type { CacheLog } from './replicas/log.ts'
import type { ReplicasOptions } from './replicas/options.ts'
import { Replica } from './replicas/replica.ts'

export interface CacheStoreOptions {
  /** Values in memory, over all caches of the store; the least recently used go first. Default 10000. */
  readonly maxItems?: number
  /** Bytes in memory, over all caches of the store. Default: no limit but `maxItems`. */
  readonly maxSizeBytes?: number
  /** How long a value is kept where its cache says nothing, in milliseconds. Default 60000. */
  readonly ttlMs?: number
  /** Where several processes cache the same: how they keep each other's caches fresh. Without it this one is alone. */
  readonly replicas?: ReplicasOptions
  /** A layer below memory that the replicas share. Needs `replicas`. While it is down, the store works without it. */
  readonly redis?: RedisOptions
  /**
   * Runs each fetch that several callers may wait for; the signal aborts when none does any more. In a service:
   * `withSharedContext`, or else the fetch ends with the call that happened to begin it. Default: it is simply run.
   */
  readonly share?: ShareFetch
  /** Told once of each change: whether the replicas and Redis can be used. */
  readonly log?: CacheLog
}

/** Holds the values of all caches of a process. */
export interface CacheStore {
  readonly name: 'cache'
  /** Begins to look for the replicas and Redis. They need not be there: until they are, everything is fetched. */
  connect(): Promise<void>
  /** Never rejects: a store that cannot cache is no reason to be sent no requests. */
  check(): Promise<void>
  /**
   * Gives back its place among the replicas. Before the database and NATS are closed, so that nobody has to wait for it. Takes
   * three seconds at most, whatever is gone; an invalidation that is then still on its way rejects.
   */
  close(): Promise<void>
  /** Whether values are served now that others may know of: false until the replicas were found, and while they are not. */
  readonly sharing: boolean
  /**
   * A typed part of the store. `T` must survive JSON: a type with a Date in it does not compile.
   * @param namespace letters, digits, `-`, `_`, `.`; one cache a namespace
   * @throws {TypeError} for a namespace of another form, or one that is taken
   */
  cache<T>(namespace: CacheName<T>, options?: CacheOptions): Cache<T>
}

/**
 * A store in memory, on bentocache; with replicas, if there are several of the process, and Redis below.
 *
 * @throws {TypeError} for `redis` without `replicas`
 * @example
 * const store: CacheStore = createCacheStore({ maxItems: 5000 })
 * const blogs: Cache<PublicBlog> = store.cache<PublicBlog>('blog', { ttlMs: 300_000 })
 * const blog = await blogs.getOrSet(id, () => repository.findById(id), { tags: blog => [`author:${blog.author}`] })
 * await blogs.delete(id) // from here on nobody gets what was fetched before
 * @example
 * const registry: ReplicaRegistry = createMongoMembership(mongo, 'cache-replicas')
 * const bus: CacheBus = createNatsBroadcast(nats, cacheSubjectOf('blog'))
 * const store = createCacheStore({ replicas: { registry, bus }, redis: { url: 'redis://127.0.0.1:6379', prefix: 'blog' } })
 */
export function createCacheStore(options: CacheStoreOptions = {}): CacheStore {
  const { maxItems = 10_000, maxSizeBytes, ttlMs: storeTtlMs = 60_000, replicas, redis, share, log } = options
  if (redis && !replicas) {
    throw new TypeError('a cache store with redis needs replicas, too: the registry says which entries in Redis count')
  }
  const memory = memoryDriver({ maxItems, ...(maxSizeBytes === undefined ? {} : { maxSize: maxSizeBytes }) })
  const bento = new BentoCache({ default: 'store', stores: { store: bentostore().useL1Layer(memory) } })
  const taken = new Set<string>()
  const shared = new Map<string, LayeredCache<unknown>>()
  const holder = {
    invalidate(marks: MarksByCache) {
      for (const [name, list] of marks) shared.get(name)?.invalidate(list)
    },
    invalidateAll() {
      for (const cache of shared.values()) cache.invalidate([EVERYTHING])
    },
  }
  const replica = replicas && new Replica({ ...replicas, holder, log })
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
      await bento.disconnectAll()
    },
    get sharing() {
      return replica?.trusted ?? true
    },
    cache<T>(namespace: string, { ttlMs = storeTtlMs, local = false }: CacheOptions = {}) {
      // clearing a namespace clears what begins with its name and a colon
      if (!/^[\w.-]+$/.test(namespace)) throw new TypeError(`a cache can't be named ${JSON.stringify(namespace)}`)
      // two objects for one namespace would not see each other's fetches, and so miss each other's invalidations
      if (taken.has(namespace)) throw new TypeError(`the cache ${namespace} exists already: share the object`)
      taken.add(namespace)
      const reach = local || !replica ? thisProcess : replica
      const cache = new LayeredCache<T>(namespace, bento.namespace(namespace), ttlMs, reach, share)
      if (reach === replica) shared.set(namespace, cache as LayeredCache<unknown>)
      return cache
    },
  }
}
