import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { type Cache, type CacheOptions, LayeredCache } from './cache.ts'
import type { CacheName } from './json.ts'

export interface CacheStoreOptions {
  /** Values in memory, over all caches of the store; the least recently used go first. Default 10000. */
  readonly maxItems?: number
  /** Bytes in memory, over all caches of the store. Default: no limit but `maxItems`. */
  readonly maxSizeBytes?: number
  /** How long a value is kept where its cache says nothing, in milliseconds. Default 60000. */
  readonly ttlMs?: number
}

/** Holds the values of all caches of a process. */
export interface CacheStore {
  readonly name: 'cache'
  connect(): Promise<void>
  check(): Promise<void>
  close(): Promise<void>
  /**
   * A typed part of the store. `T` must survive JSON: a type with a Date in it does not compile.
   * @param namespace letters, digits, `-`, `_`, `.`; one cache a namespace
   * @throws {TypeError} for a namespace of another form, or one that is taken
   */
  cache<T>(namespace: CacheName<T>, options?: CacheOptions): Cache<T>
}

/**
 * A store in memory, on bentocache.
 *
 * @example
 * const store = createCacheStore({ maxItems: 5000 })
 * const blogs = store.cache<PublicBlog>('blog', { ttlMs: 300_000 })
 * const blog = await blogs.getOrSet(id, () => repository.findById(id), { tags: blog => [`author:${blog.author}`] })
 * await blogs.delete(id) // from here on nobody gets what was fetched before
 */
export function createCacheStore(options: CacheStoreOptions = {}): CacheStore {
  const { maxItems = 10_000, maxSizeBytes, ttlMs: storeTtlMs = 60_000 } = options
  const memory = memoryDriver({ maxItems, ...(maxSizeBytes === undefined ? {} : { maxSize: maxSizeBytes }) })
  const bento = new BentoCache({ default: 'store', stores: { store: bentostore().useL1Layer(memory) } })
  const taken = new Set<string>()
  return {
    name: 'cache',
    connect: async () => undefined,
    check: async () => undefined,
    close: () => bento.disconnectAll(),
    cache<T>(namespace: string, { ttlMs = storeTtlMs }: CacheOptions = {}) {
      // clearing a namespace clears what begins with its name and a colon
      if (!/^[\w.-]+$/.test(namespace)) throw new TypeError(`a cache can't be named ${JSON.stringify(namespace)}`)
      // two objects for one namespace would not see each other's fetches, and so miss each other's invalidations
      if (taken.has(namespace)) throw new TypeError(`the cache ${namespace} exists already: share the object`)
      taken.add(namespace)
      return new LayeredCache<T>(bento.namespace(namespace), ttlMs)
    },
  }
}
