import type { Verdict } from './core.ts'

export interface VerdictCacheOptions {
  /** Milliseconds; 0 caches nothing. */
  readonly validMs: number
  readonly invalidMs: number
  readonly maxEntries: number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

interface Entry {
  readonly verdict: Verdict
  readonly expiresAt: number
}

/**
 * Remembers verdicts, least recently used out first, and lets requests that ask for the same thing at the same time share
 * one look-up. `unknown` is never remembered: the next request asks again.
 */
export class VerdictCache {
  readonly #options: VerdictCacheOptions
  readonly #entries = new Map<string, Entry>()
  readonly #pending = new Map<string, Promise<Verdict>>()

  constructor(options: VerdictCacheOptions) {
    this.#options = options
  }

  get(id: string, lookUp: () => Promise<Verdict>): Verdict | Promise<Verdict> {
    const entry = this.#entries.get(id)
    if (entry !== undefined) {
      this.#entries.delete(id)
      if (entry.expiresAt > this.#options.now()) {
        this.#entries.set(id, entry)
        return entry.verdict
      }
    }
    return this.#pending.get(id) ?? this.#ask(id, lookUp)
  }

  #ask(id: string, lookUp: () => Promise<Verdict>): Promise<Verdict> {
    const asked = lookUp()
      .then(verdict => {
        this.#remember(id, verdict)
        return verdict
      })
      .finally(() => this.#pending.delete(id))
    this.#pending.set(id, asked)
    return asked
  }

  #remember(id: string, verdict: Verdict): void {
    const { validMs, invalidMs, maxEntries, now } = this.#options
    if (verdict === 'unknown') return
    const ttl = verdict === 'valid' ? validMs : invalidMs
    if (ttl <= 0) return
    this.#entries.delete(id)
    this.#entries.set(id, { verdict, expiresAt: now() + ttl })
    if (this.#entries.size <= maxEntries) return
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }
}
