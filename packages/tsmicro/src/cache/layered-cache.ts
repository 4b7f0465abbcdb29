import type { Cache, Factory, GetOrSetOptions, SetOptions } from './cache.ts'
import { type Coordinator, follows, type SharedEntry, type SharedLayer } from './coordinator.ts'
import type { Entry, Form, Memory } from './memory.ts'
import { type Fetched, SharedFetch } from './shared-fetch.ts'
import { EVERYTHING, keyOf, keyTag, type Tag, TagLog, userTag } from './tags.ts'

/** Runs a fetch for all callers who wait for it; the signal aborts when nobody does. */
export type ShareFetch = <T>(signal: AbortSignal, fetch: () => Promise<T>) => Promise<T>

interface LayeredCacheOptions {
  /** No other cache of the store has it. */
  readonly name: string
  readonly memory: Memory
  readonly form: Form
  readonly ttlMs: number
  readonly coordinator: Coordinator
  readonly share: ShareFetch | undefined
}

/** Memory, one shared fetch per key, and one order of all fetches and invalidations. */
export class LayeredCache<T> implements Cache<T> {
  readonly #name: string
  readonly #memory: Memory
  readonly #form: Form
  readonly #ttlMs: number
  readonly #coordinator: Coordinator
  readonly #share: ShareFetch
  readonly #log = new TagLog()
  readonly #fetches = new Map<string, SharedFetch>()
  #invalidations = 0

  constructor({ name, memory, form, ttlMs, coordinator, share }: LayeredCacheOptions) {
    this.#name = name
    this.#memory = memory
    this.#form = form
    this.#ttlMs = ttlMs
    this.#coordinator = coordinator
    this.#share = share ?? ((_, fetch) => fetch())
  }

  async get(key: string): Promise<T | undefined> {
    if (!this.#coordinator.trusted) return undefined
    const entry = this.#read(key)
    if (entry) return this.#form.give(entry.kept) as T
    const began = this.#log.next()
    const found = (await this.#coordinator.shared?.find(this.#name, key))?.entry
    if (found === undefined || this.#log.invalidatedSince(began, found.tags)) return undefined
    return this.#form.give(this.#write(key, found, began)) as T
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
    if (trusted) this.#write(key, { value, tags, ttlMs }, this.#log.next())
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
    const { trusted } = this.#coordinator
    if (typeof options.signal !== 'function') options.signal?.throwIfAborted()
    const entry = trusted ? this.#read(key) : undefined
    if (entry) return this.#form.give(entry.kept) as T
    const signal = typeof options.signal === 'function' ? options.signal() : options.signal
    if (!trusted) return this.#fetchAlone(factory, signal)
    const began = this.#log.next()
    for (;;) {
      signal?.throwIfAborted()
      const fetch = this.#fetches.get(key) ?? this.#startFetch(key, factory, options)
      const { kept, tags } = await fetch.join(signal)
      // A fetch that began after this call can't have missed an invalidation from before it: so there is at most one more
      // round.
      if (fetch.began > began || !this.#log.invalidatedSince(fetch.began, tags)) return this.#form.give(kept) as T
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
      this.#memory.delete(this.#place(key))
    }
  }

  #invalidateAll(): void {
    this.#log.invalidateAll()
    for (const key of [...this.#fetches.keys()]) this.#dropFetch(key)
    const all = this.#place('')
    for (const place of [...this.#memory.keys()]) if (place.startsWith(all)) this.#memory.delete(place)
  }

  async #forget(tags: readonly Tag[]): Promise<void> {
    if (tags.length === 0) return
    this.invalidate(tags)
    await this.#coordinator.forget(this.#name, tags)
  }

  /** While shared values can't be trusted, every caller fetches for itself, and nothing is kept. */
  async #fetchAlone(factory: Factory<T>, signal: AbortSignal | undefined): Promise<T> {
    const fetch = new SharedFetch(this.#log.next(), () => undefined)
    fetch.start(async () => ({ ...this.#form.keep(await this.#callFactory(factory, fetch)), tags: [] }))
    return this.#form.give((await fetch.join(signal)).kept) as T
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
    const { shared } = this.#coordinator
    const { entry, stamp } = (await shared?.find(this.#name, key)) ?? {}
    if (entry) return { kept: this.#keep(key, fetch, entry).kept, tags: entry.tags }
    const value: unknown = await this.#callFactory(factory, fetch)
    const tags = tagsOf(key, options.tags, value as T)
    if (value === undefined) return { kept: undefined, tags }
    const made = { value, tags, ttlMs: options.ttlMs ?? this.#ttlMs }
    const { kept, isKept } = this.#keep(key, fetch, made)
    // Not awaited. It may come late: the stamp says how old the value is.
    if (isKept && stamp) shared?.keep(this.#name, key, stamp, made).catch(() => undefined)
    return { kept, tags }
  }

  #callFactory(factory: Factory<T>, { signal }: SharedFetch): Promise<T> {
    return this.#share(signal, async () => factory({ signal }))
  }

  /** In memory, unless it is outdated already. Either way it becomes what callers get, since the factory may hold on to its value. */
  #keep(key: string, fetch: SharedFetch, made: SharedEntry): { readonly kept: unknown; readonly isKept: boolean } {
    if (fetch.stale || this.#log.invalidatedSince(fetch.began, made.tags))
      return { kept: this.#form.keep(made.value).kept, isKept: false }
    return { kept: this.#write(key, made, fetch.began), isKept: true }
  }

  #read(key: string): Entry | undefined {
    const entry = this.#memory.get(this.#place(key))
    if (!entry || performance.now() >= entry.until || this.#log.invalidatedSince(entry.began, entry.tags))
      return undefined
    return entry
  }

  #write(key: string, { value, tags, ttlMs }: SharedEntry, began: number): unknown {
    const form = this.#form.keep(value)
    this.#memory.set(this.#place(key), { ...form, tags, began, until: performance.now() + ttlMs })
    return form.kept
  }

  #place(key: string): string {
    return `${this.#name}:${key}`
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
  return JSON.parse(JSON.stringify(value))
}
