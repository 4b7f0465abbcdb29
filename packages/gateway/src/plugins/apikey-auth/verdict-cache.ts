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
  used: boolean
}

/**
 * Remembers verdicts, seldom used ones out first, and lets requests that ask for the same thing at the same time share
 * one look-up. `unknown` is never remembered: the next request asks again.
 *
 * A use only sets a mark: taking the entry out and putting it in again, at each request, would make V8 rebuild the map every few
 * requests (see `SlotList` for what that costs).
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
      if (entry.expiresAt > this.#options.now()) {
        entry.used = true
        return entry.verdict
      }
      this.#entries.delete(id)
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
    if (this.#entries.size >= maxEntries) this.#makeRoom()
    this.#entries.set(id, { verdict, expiresAt: now() + seconds * 1000, used: false })
  }

  /** The first that was not used since it came to the end of the queue; one that was goes there again. */
  #makeRoom(): void {
    for (const [id, entry] of this.#entries) {
      this.#entries.delete(id)
      if (!entry.used) return
      entry.used = false
      this.#entries.set(id, entry)
    }
  }
}
