import { hash } from 'node:crypto'
import { shareOf, type TimesToLive, ttlOf, type Verdict } from '@tsmicro/kong-plugins/apikey-auth'
import { codeOf } from '../../balancing/failure.ts'
import type { HttpUrl } from '../../config/read-service.ts'
import type { PluginEnvironment } from '../plugin.ts'
import { Verifier } from './verifier.ts'

/** Who verifies keys, and how long verdicts are remembered. */
export interface VerificationConfig {
  /**
   * `verify_urls`: `http://auth:8001/verify/apikey`, tried in turn until one answers. Each is called with `POST {"key"}` and answers
   * `{"valid":true,"id","permissions":[…]}`, `{"valid":false}` or 401. A host may name an upstream of the config.
   */
  readonly verifiers: readonly HttpUrl[]
  /** `verify_secret`: sent as `x-verify-secret`, 32 bytes or more. Absent: not sent. */
  readonly secret: string | undefined
  /** `timeout_ms` (2000): limits the whole verification. Each verifier gets an equal share of the remaining time. */
  readonly timeoutMs: number
  /** `cache_ttl` (5) and `negative_cache_ttl` (1): seconds that a yes and a no are remembered; 0 for not at all. */
  readonly times: TimesToLive
}

const shared = new WeakMap<PluginEnvironment, Map<string, Verification>>()

/** The verification for a config. Plugins with the same verifiers and times share what is known about a key. */
export function verificationFor(config: VerificationConfig, environment: PluginEnvironment): Verification {
  const all = shared.get(environment) ?? new Map<string, Verification>()
  shared.set(environment, all)
  const { verifiers, secret, timeoutMs, times } = config
  const id = JSON.stringify([verifiers, secret, timeoutMs, times])
  const verification = all.get(id) ?? new Verification(config, environment)
  all.set(id, verification)
  return verification
}

/** Remembers what is known about keys, and asks the verifiers about the rest. */
export class Verification {
  readonly #cache: VerdictCache
  readonly #verifiers: readonly Verifier[]
  readonly #timeoutMs: number
  readonly #environment: PluginEnvironment

  constructor({ verifiers, secret, timeoutMs, times }: VerificationConfig, environment: PluginEnvironment) {
    this.#cache = new VerdictCache({ times, maxEntries: 10_000, now: () => performance.now() })
    this.#verifiers = verifiers.map(
      url => new Verifier({ path: url.path, balancer: environment.balancerOf(url), timeoutMs, secret }),
    )
    this.#timeoutMs = timeoutMs
    this.#environment = environment
  }

  verdictOn(key: string): Verdict | Promise<Verdict> {
    // The cache never holds a key, so a heap dump reveals none.
    const verdict = this.#cache.get(hash('sha256', key, 'base64url'), () => this.#verify(key))
    return verdict instanceof Promise ? verdict.then(late => this.#unlessRevoked(late)) : this.#unlessRevoked(verdict)
  }

  /** Checked on every use: a yes may have been remembered, or on its way, when the key was revoked. */
  #unlessRevoked(verdict: Verdict): Verdict {
    const revoked = verdict.kind === 'valid' && this.#environment.revocations.has(verdict.consumer.id)
    return revoked ? { kind: 'invalid' } : verdict
  }

  async close(): Promise<void> {
    await Promise.all(this.#verifiers.map(verifier => verifier.close()))
  }

  /** Asks the verifiers in turn until one answers, all within one deadline. */
  async #verify(key: string): Promise<Verdict> {
    const deadline = performance.now() + this.#timeoutMs
    for (const [tried, verifier] of this.#verifiers.entries()) {
      const time = shareOf(deadline - performance.now(), this.#verifiers.length - tried)
      if (time <= 0) break
      try {
        return await verifier.verify(key, time)
      } catch (error) {
        const { message, code } =
          error instanceof Error ? { message: error.message, code: codeOf(error) } : { message: '', code: '' }
        this.#environment.log.warn({ plugin: 'apikey-auth', code }, `API key not verified: ${message}`)
      }
    }
    return { kind: 'unknown' }
  }
}

interface VerdictCacheOptions {
  readonly times: TimesToLive
  readonly maxEntries: number
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
}

interface Entry {
  readonly verdict: Verdict
  readonly expiresAt: number
  used: boolean
}

/**
 * Remembers verdicts, dropping rarely used ones first. Requests that ask for the same key at the same time share one look-up.
 * `unknown` is never remembered, so that the next request asks again.
 *
 * Using an entry only sets a mark. Moving it to the end of the map on each request would make V8 rebuild the map every few requests
 * (see `SlotList` for what that costs).
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
    const seconds = ttlOf(verdict, times)
    if (seconds <= 0) return
    this.#entries.delete(id)
    if (this.#entries.size >= maxEntries) this.#makeRoom()
    this.#entries.set(id, { verdict, expiresAt: now() + seconds * 1000, used: false })
  }

  /** Drops the first entry that was not used since it was added or last spared. Used entries are spared: they go to the end. */
  #makeRoom(): void {
    for (const [id, entry] of this.#entries) {
      this.#entries.delete(id)
      if (!entry.used) return
      entry.used = false
      this.#entries.set(id, entry)
    }
  }
}
