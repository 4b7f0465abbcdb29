/**
 * `string` for a type that survives JSON. For a type that contains a Date, Map, bigint or function it is a text that no name
 * can be, so that `store.cache<Dated>('x')` does not compile: a reader would get something other than what was written.
 */
export type CacheName<T> = [T] extends [Jsonable<T>] ? string : 'this type does not survive JSON'

type Jsonable<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Date | RegExp | bigint | symbol | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | ArrayBufferView
    ? never
    : T extends (...args: never) => unknown
      ? never
      : T extends object
        ? { [Member in keyof T]: Jsonable<T[Member]> }
        : never

export interface CacheOptions {
  /** How long a value is kept, in milliseconds. Default: the store's. */
  readonly ttlMs?: number
  /**
   * For this process alone: invalidations are neither sent nor received, nothing is stored in Redis, and values are served even
   * if other replicas can't be reached. For values with such a short life that replicas may differ that long. Default false.
   */
  readonly local?: boolean
  /**
   * All callers get the same value, frozen at any depth, instead of a copy of their own. Returned by a handler, it is checked and
   * written as JSON only once. Takes twice the memory. Default false.
   */
  readonly frozen?: boolean
}

/** How a value is kept. */
export interface SetOptions<T> {
  /** Default: the cache's. */
  readonly ttlMs?: number
  /** For `deleteByTag`; may be derived from the value. */
  readonly tags?: readonly string[] | ((value: T) => readonly string[])
}

/** How a missing value is fetched and kept. */
export interface GetOrSetOptions<T> extends SetOptions<T> {
  /** Ends this caller's wait. The fetch goes on as long as anybody waits for it. A function is called only if there is a wait. */
  readonly signal?: AbortSignal | (() => AbortSignal)
}

interface FactoryContext {
  /** Aborts when nobody waits for the value. */
  readonly signal: AbortSignal
}

/** Fetches a missing value. */
export type Factory<T> = (context: FactoryContext) => T | Promise<T>

/**
 * A typed part of the store. A value that is read after an invalidation was answered is never older than the invalidation, in
 * any replica: the result of a fetch that was in progress is neither kept nor given to later callers. Every caller gets its own
 * copy, unless the cache is `frozen`.
 *
 * In a store with replicas, every method that invalidates (including `set`) may reject with `SERVICE_UNAVAILABLE` or
 * `DEADLINE_EXCEEDED` if it is not certain that all other replicas have dropped the value. The invalidation is then repeated in
 * the background until they have.
 */
export interface Cache<T> {
  /** @returns undefined if there is no value. */
  get(key: string): Promise<T | undefined>
  /**
   * Keeps a value, and invalidates the key in other replicas. It is stored in Redis unless something else was invalidated in
   * the meantime. Prefer `getOrSet`, which knows how old its value is.
   */
  set(key: string, value: T, options?: SetOptions<T>): Promise<void>
  /**
   * The cached value, or the factory's, which is then kept. Concurrent callers share one factory call: the first one's, with
   * its options. An error reaches all of them and is not kept; nor is `undefined` (use `null` for "does not exist").
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
