export interface CacheOptions {
  /** How long a value is kept, in milliseconds. Default: the store's. */
  readonly ttlMs?: number
  /**
   * For this process alone: no invalidation leaves it and none comes in, nothing is put into Redis, and it serves whether
   * or not other replicas can be reached. For what lives so shortly that replicas may differ that long. Default false.
   */
  readonly local?: boolean
}

/** How a value is kept. */
export interface SetOptions<T> {
  /** Default: the cache's. */
  readonly ttlMs?: number
  /** For `deleteByTag`; may be taken from the value. */
  readonly tags?: readonly string[] | ((value: T) => readonly string[])
}

/** How a value that is not there is fetched and kept. */
export interface GetOrSetOptions<T> extends SetOptions<T> {
  /** Ends this caller's wait. The fetch goes on as long as anybody waits for it. */
  readonly signal?: AbortSignal
}

interface FactoryContext {
  /** Aborts when nobody waits for the value any more. */
  readonly signal: AbortSignal
}

/** Fetches what is not there. */
export type Factory<T> = (context: FactoryContext) => T | Promise<T>

/**
 * A typed part of the store. What is read after an invalidation was answered is never older than the invalidation, in any
 * replica: a fetch that was under way is neither kept nor given to those who come after. Every caller gets its own copy.
 *
 * In a store with replicas, whatever invalidates (`set` too) may reject with `SERVICE_UNAVAILABLE` or `DEADLINE_EXCEEDED`
 * when it is not sure that all others have forgotten; it is tried on in the background until they have.
 */
export interface Cache<T> {
  /** @returns undefined when there is none. */
  get(key: string): Promise<T | undefined>
  /**
   * Keeps a value; what other replicas have of the key is invalidated. In Redis it is kept unless something else was
   * invalidated meanwhile. Prefer `getOrSet`: it knows how old what it keeps is.
   */
  set(key: string, value: T, options?: SetOptions<T>): Promise<void>
  /**
   * The cached value, or the factory's, which is then kept. Concurrent callers share one factory call: the first one's, with
   * its options. An error reaches all of them and is not kept; nor is `undefined` (use `null` for "there is none").
   */
  getOrSet(key: string, factory: Factory<T>, options?: GetOrSetOptions<T>): Promise<T>
  delete(key: string): Promise<void>
  deleteMany(keys: readonly string[]): Promise<void>
  /** Invalidates every value with this tag, in this cache. */
  deleteByTag(tag: string): Promise<void>
  /** Invalidates every value with one of these tags, in this cache. */
  deleteByTags(tags: readonly string[]): Promise<void>
  /** Invalidates every value of this cache. */
  clear(): Promise<void>
}
