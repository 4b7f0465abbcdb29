import type { Cache, Factory, GetOrSetOptions, SetOptions } from './cache.ts'
import { type Coordinator, follows, type SharedEntry, type SharedLayer } from './coordinator.ts'
import { type Fetched, SharedFetch } from './shared-fetch.ts'
import { EVERYTHING, keyOf, keyTag, type Tag, TagLog, userTag } from './tags.ts'

/** The part of bentocache that is used; keys are within the namespace. */
export interface Layer {
  get(options: { key: string }): Promise<unknown>
  set(options: { key: string; value: unknown; ttl: number }): Promise<unknown>
  delete(options: { key: string }): Promise<unknown>
  clear(): Promise<unknown>
}

/** Runs a fetch for all callers who wait for it; the signal aborts when nobody does. */
export type ShareFetch = <T>(signal: AbortSignal, fetch: () => Promise<T>) => Promise<T>

/** As stored: value, sequence number of its beginning, tags. The names are short because every entry has them. */
interface Entry {
  readonly v: unknown
  readonly s: number
  readonly t: readonly Tag[]
}

/**
 * Memory, one shared fetch per key, and one order of all fetches and invalidations. A hit takes 3.4 µs, of which 0.25 µs are
 * the check whether it may be served (see `Lease`), measured on Node 24 on a busy machine.
 */
export class LayeredCache<T> implements Cache<T> {
  readonly #name: string
  readonly #layer: Layer
  readonly #ttlMs: number
  readonly #coordinator: Coordinator
  readonly #share: ShareFetch
  readonly #log = new TagLog()
  readonly #fetches = new Map<string, SharedFetch>()
  #invalidations = 0

  constructor(name: string, layer: Layer, ttlMs: number, coordinator: Coordinator, share?: ShareFetch) {
    this.#name = name
    this.#layer = layer
    this.#ttlMs = ttlMs
    this.#coordinator = coordinator
    this.#share = share ?? ((_, fetch) => fetch())
  }

  async get(key: string): Promise<T | undefined> {
    if (!this.#coordinator.trusted) return undefined
    const began = this.#log.next()
    const kept = await this.#read(key)
    if (kept !== undefined) return kept.v as T
    const found = (await this.#coordinator.shared?.find(this.#name, key))?.entry
    if (found === undefined || this.#log.invalidatedSince(began, found.tags)) return undefined
    await this.#write(key, found.value, found.tags, began, found.ttlMs)
    return found.value as T
  }

  async set(key: string, value: T, options: SetOptions<T> = {}): Promise<void> {
    if (value === undefined) return this.delete(key)
    const tags = tagsOf(key, options.tags, value)
    const [tag] = tags
    const ttlMs = options.ttlMs ?? this.#ttlMs
    const { trusted, shared } = this.#coordinator
    this.invalidate([tag])
    if (shared) return this.#setShared(key, tag, { value: copy(value), tags, ttlMs }, shared)
    // Written at once, so that an invalidation during the wait below is later than the value.
    if (trusted) await this.#write(key, value, tags, this.#log.next(), ttlMs)
    await this.#coordinator.forget(this.#name, [tag])
  }

  /**
   * Memory gets the value from the shared layer. There it is stored only if nothing else was invalidated in the meantime, here
   * or there: the value's own invalidation must not hide one that came after the value.
   */
  async #setShared(key: string, tag: Tag, entry: SharedEntry, shared: SharedLayer): Promise<void> {
    const { trusted } = this.#coordinator
    const count = this.#invalidations
    const { stamp: before } = await shared.find(this.#name, key)
    const stamp = await this.#coordinator.forget(this.#name, [tag])
    // The one more is our own, which is repeated here after Redis.
    const alone = this.#invalidations === count + 1 && follows(before, stamp)
    if (trusted && alone && stamp) await shared.keep(this.#name, key, stamp, entry)
  }

  async getOrSet(key: string, factory: Factory<T>, options: GetOrSetOptions<T> = {}): Promise<T> {
    const { signal } = options
    if (!this.#coordinator.trusted) return this.#fetchAlone(factory, signal)
    const began = this.#log.next()
    for (;;) {
      signal?.throwIfAborted()
      const fetch = this.#fetches.get(key) ?? this.#startFetch(key, factory, options)
      const { value, tags } = await fetch.join(signal)
      // A fetch that began after this call can't have missed an invalidation from before it: so there is at most one more
      // round.
      if (fetch.began > began || !this.#log.invalidatedSince(fetch.began, tags)) {
        return (fetch.shared ? copy(value) : value) as T
      }
    }
  }

  delete(key: string): Promise<void> {
    return this.deleteMany([key])
  }

  deleteMany(keys: readonly string[]): Promise<void> {
    return this.#forget(keys.map(keyTag))
  }

  deleteByTag(tag: string): Promise<void> {
    return this.deleteByTags([tag])
  }

  deleteByTags(tags: readonly string[]): Promise<void> {
    return this.#forget(tags.map(userTag))
  }

  clear(): Promise<void> {
    return this.#forget([EVERYTHING])
  }

  /** Invalidates in this process, synchronously. */
  invalidate(tags: readonly Tag[]): void {
    this.#invalidations++
    for (const tag of tags) {
      const key = keyOf(tag)
      if (tag === EVERYTHING) this.#invalidateAll()
      else this.#log.invalidate(tag)
      if (key === undefined) continue
      this.#dropFetch(key)
      // This only frees memory: for the log, the value is invalid already.
      this.#layer.delete({ key }).catch(() => undefined)
    }
  }

  #invalidateAll(): void {
    this.#log.invalidateAll()
    for (const key of [...this.#fetches.keys()]) this.#dropFetch(key)
    this.#layer.clear().catch(() => undefined)
  }

  async #forget(tags: readonly Tag[]): Promise<void> {
    if (tags.length === 0) return
    this.invalidate(tags)
    await this.#coordinator.forget(this.#name, tags)
  }

  /** While shared values can't be trusted, every caller fetches for itself, and nothing is kept. */
  async #fetchAlone(factory: Factory<T>, signal: AbortSignal | undefined): Promise<T> {
    const fetch = new SharedFetch(this.#log.next(), () => undefined)
    fetch.start(async () => ({ value: copy(await this.#callFactory(factory, fetch)), tags: [] }))
    return (await fetch.join(signal)).value as T
  }

  #startFetch(key: string, factory: Factory<T>, options: SetOptions<T>): SharedFetch {
    const fetch = new SharedFetch(this.#log.next(), abandoned => this.#removeFetch(key, abandoned))
    this.#fetches.set(key, fetch)
    fetch.start(async () => {
      try {
        return await this.#fetch(key, fetch, factory, options)
      } finally {
        this.#removeFetch(key, fetch)
      }
    })
    return fetch
  }

  async #fetch(key: string, fetch: SharedFetch, factory: Factory<T>, options: SetOptions<T>): Promise<Fetched> {
    const kept = await this.#read(key)
    if (kept !== undefined) return { value: kept.v, tags: kept.t }
    const { shared } = this.#coordinator
    const { entry, stamp } = (await shared?.find(this.#name, key)) ?? {}
    if (entry) {
      await this.#keep(key, fetch, entry)
      return entry
    }
    const made = await this.#callFactory(factory, fetch)
    // The factory may hold on to its value, so a copy is returned and kept.
    const fetched = { value: copy(made), tags: tagsOf(key, options.tags, made), ttlMs: options.ttlMs ?? this.#ttlMs }
    if (made !== undefined && (await this.#keep(key, fetch, fetched)) && stamp) {
      // Not awaited. It may come late: the stamp says how old the value is.
      shared?.keep(this.#name, key, stamp, fetched).catch(() => undefined)
    }
    return fetched
  }

  #callFactory(factory: Factory<T>, { signal }: SharedFetch): Promise<T> {
    return this.#share(signal, async () => factory({ signal }))
  }

  async #keep(key: string, fetch: SharedFetch, { value, tags, ttlMs }: SharedEntry): Promise<boolean> {
    if (fetch.stale || this.#log.invalidatedSince(fetch.began, tags)) return false
    await this.#write(key, value, tags, fetch.began, ttlMs)
    return true
  }

  async #read(key: string): Promise<Entry | undefined> {
    const entry = (await this.#layer.get({ key })) as Entry | undefined | null
    if (!entry || this.#log.invalidatedSince(entry.s, entry.t)) return undefined
    return entry
  }

  /** In the memory layer, the entry is stored synchronously, before anything is awaited. */
  async #write(key: string, v: unknown, t: readonly Tag[], s: number, ttl: number): Promise<void> {
    await this.#layer.set({ key, value: { v, s, t } satisfies Entry, ttl })
  }

  /** Later callers start a new fetch; those who wait already get the result that they waited for. */
  #dropFetch(key: string): void {
    const fetch = this.#fetches.get(key)
    if (fetch) fetch.stale = true
    this.#fetches.delete(key)
  }

  #removeFetch(key: string, fetch: SharedFetch): void {
    if (this.#fetches.get(key) === fetch) this.#fetches.delete(key)
  }
}

function tagsOf<T>(key: string, tags: SetOptions<T>['tags'], value: T): readonly [Tag, ...Tag[]] {
  const names = typeof tags === 'function' ? tags(value) : (tags ?? [])
  return [keyTag(key), ...names.map(userTag)]
}

function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
