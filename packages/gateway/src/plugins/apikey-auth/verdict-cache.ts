import { lifeOf, type TimesToLive, type Verdict } from '@tsmicro/kong-plugins/apikey-auth'

export interface VerdictCacheOptions {
  readonly times: TimesToLive
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
    const { times, maxEntries, now } = this.#options
    const seconds = lifeOf(verdict, times)
    if (seconds <= 0) return
    this.#entries.delete(id)
    this.#entries.set(id, { verdict, expiresAt: now() + seconds * 1000 })
    if (this.#entries.size <= maxEntries) return
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }
}
