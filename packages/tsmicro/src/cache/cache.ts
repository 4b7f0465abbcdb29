import { Flight, type Landed } from './flight.ts'
import { TagLog } from './tag-log.ts'

/** The part of bentocache that is used; keys are within the namespace. */
export interface Layer {
  get(options: { key: string }): Promise<unknown>
  set(options: { key: string; value: unknown; ttl: number }): Promise<unknown>
  delete(options: { key: string }): Promise<unknown>
  clear(): Promise<unknown>
}

export interface CacheOptions {
  /** How long a value is kept, in milliseconds. Default: the store's. */
  readonly ttlMs?: number
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

export interface FactoryContext {
  /** Aborts when nobody waits for the value any more. */
  readonly signal: AbortSignal
}

/**
 * A typed part of the store. What is read after an invalidation was answered is never older than the invalidation: a
 * fetch that was under way is neither kept nor given to those who come after. Every caller gets its own copy.
 */
export interface Cache<T> {
  /** @returns undefined when there is none. */
  get(key: string): Promise<T | undefined>
  set(key: string, value: T, options?: SetOptions<T>): Promise<void>
  /**
   * The cached value, or the factory's, which is then kept. Concurrent callers share one factory call: the first one's, with
   * its options. An error reaches all of them and is not kept; nor is `undefined` (use `null` for "there is none").
   */
  getOrSet(key: string, factory: (context: FactoryContext) => T | Promise<T>, options?: GetOrSetOptions<T>): Promise<T>
  delete(key: string): Promise<void>
  deleteMany(keys: readonly string[]): Promise<void>
  /** Invalidates every value with this tag, in this cache. */
  deleteByTag(tag: string): Promise<void>
  /** Invalidates every value of this cache. */
  clear(): Promise<void>
}

/** As stored: value, place in the order of things, tags. Short names as they are written with every entry. */
interface Entry {
  readonly v: unknown
  readonly s: number
  readonly t: readonly string[]
}

export class LayeredCache<T> implements Cache<T> {
  readonly #layer: Layer
  readonly #ttlMs: number
  readonly #tags = new TagLog()
  readonly #flights = new Map<string, Flight>()
  /** Invalidations under way, counted by key: what lands meanwhile is not kept. */
  readonly #deleting = new Map<string, number>()
  #clearing = 0

  constructor(layer: Layer, ttlMs: number) {
    this.#layer = layer
    this.#ttlMs = ttlMs
  }

  async get(key: string): Promise<T | undefined> {
    return (await this.#read(key))?.v as T | undefined
  }

  async set(key: string, value: T, options: SetOptions<T> = {}): Promise<void> {
    this.#forget(key)
    if (value === undefined) return this.delete(key)
    await this.#write(key, value, resolveTags(options.tags, value), this.#tags.next(), options.ttlMs)
  }

  async getOrSet(
    key: string,
    factory: (context: FactoryContext) => T | Promise<T>,
    options: GetOrSetOptions<T> = {},
  ): Promise<T> {
    const { signal } = options
    const began = this.#tags.next()
    for (;;) {
      signal?.throwIfAborted()
      const flight = this.#flights.get(key) ?? this.#depart(key, factory, options)
      const { value, tags } = await flight.join(signal)
      // a flight that began after this call can't have missed an invalidation from before it: at most one more round
      if (flight.began > began || !this.#tags.invalidatedSince(flight.began, tags)) {
        return (flight.shared ? copy(value) : value) as T
      }
    }
  }

  delete(key: string): Promise<void> {
    return this.deleteMany([key])
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#deleting.set(key, (this.#deleting.get(key) ?? 0) + 1)
    try {
      await Promise.all(keys.map(key => this.#layer.delete({ key })))
    } finally {
      for (const key of keys) {
        this.#forget(key)
        const left = (this.#deleting.get(key) ?? 1) - 1
        if (left === 0) this.#deleting.delete(key)
        else this.#deleting.set(key, left)
      }
    }
  }

  async deleteByTag(tag: string): Promise<void> {
    this.#tags.invalidate(tag)
  }

  async clear(): Promise<void> {
    this.#clearing++
    try {
      await this.#layer.clear()
    } finally {
      for (const key of [...this.#flights.keys()]) this.#forget(key)
      this.#clearing--
    }
  }

  #depart(key: string, factory: (context: FactoryContext) => T | Promise<T>, options: SetOptions<T>): Flight {
    const flight = new Flight(this.#tags.next(), deserted => this.#remove(key, deserted))
    this.#flights.set(key, flight)
    flight.depart(async () => {
      try {
        return await this.#fetch(key, flight, factory, options)
      } finally {
        this.#remove(key, flight)
      }
    })
    return flight
  }

  async #fetch(
    key: string,
    flight: Flight,
    factory: (context: FactoryContext) => T | Promise<T>,
    options: SetOptions<T>,
  ): Promise<Landed> {
    const entry = await this.#read(key)
    if (entry !== undefined) return { value: entry.v, tags: entry.t }
    const made = await factory({ signal: flight.signal })
    const tags = resolveTags(options.tags, made)
    // what is given out and kept is a copy: the factory may hold on to what it made
    const value = copy(made)
    // an invalidation by tag needs no check here: the entry bears its beginning, and is refused when read
    const keep = !flight.stale && !this.#deleting.has(key) && this.#clearing === 0
    if (keep && value !== undefined) await this.#write(key, value, tags, flight.began, options.ttlMs)
    return { value, tags }
  }

  async #read(key: string): Promise<Entry | undefined> {
    const entry = (await this.#layer.get({ key })) as Entry | undefined | null
    if (!entry || this.#tags.invalidatedSince(entry.s, entry.t)) return undefined
    return entry
  }

  /** With the memory layer the entry is in place when the call returns, before anything is awaited: no gap for a delete. */
  async #write(key: string, v: unknown, t: readonly string[], s: number, ttlMs = this.#ttlMs): Promise<void> {
    await this.#layer.set({ key, value: { v, s, t } satisfies Entry, ttl: ttlMs })
  }

  /** Whoever comes now begins anew; those who wait already get what they waited for. */
  #forget(key: string): void {
    this.#flights.get(key)?.markStale()
    this.#flights.delete(key)
  }

  #remove(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}

function resolveTags<T>(tags: SetOptions<T>['tags'], value: T): readonly string[] {
  return typeof tags === 'function' ? tags(value) : (tags ?? [])
}

function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
