import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { minimumModulusBits } from '../keys/key-pair.ts'

/** A published JWKS, which is not trusted to be well-formed. */
interface KeySet {
  readonly keys: readonly object[]
}

export interface KeySourceOptions {
  /** Fetches the published keys, e.g. over NATS or HTTP. Should end within seconds. */
  readonly loadKeys: () => Promise<KeySet>
  /** An unknown `kid` causes a load at most once in this time. Default 10. */
  readonly reloadSeconds?: number
  /**
   * Keys older than this are fetched again in the background when they are used, so that withdrawn keys disappear and new keys
   * are known before they sign: the issuer must publish a key for longer than this before it signs with it. Default 60.
   */
  readonly maxAgeSeconds?: number
  /** Milliseconds since 1970; default `Date.now`. */
  readonly clock?: () => number
}

/** Where a verifier finds public keys. */
export interface KeyLookup {
  /** Returns a key that needs no waiting. */
  known(kid: string): KeyObject | undefined
  /**
   * @returns undefined if the issuer has not published such a key
   * @throws {SERVICE_UNAVAILABLE} if that cannot be known now
   */
  find(kid: string): Promise<KeyObject | undefined>
}

/** A public key, and what it was made from. */
interface ImportedKey {
  readonly modulus: string
  readonly exponent: string
  readonly key: KeyObject
}

/** A failed load may be repeated this soon: being unable to answer is worse than asking often. */
const retrySeconds = 1

/** The issuer's public keys: loaded on demand, once for all concurrent callers, and kept while the issuer is unreachable. */
export class KeySource implements KeyLookup {
  readonly #options: Required<KeySourceOptions>
  readonly #withdrawn = new Set<string>()
  #keys: ReadonlyMap<string, ImportedKey> = new Map()
  #loading: Promise<void> | undefined
  #loadedAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #failure: unknown

  constructor({ loadKeys, reloadSeconds = 10, maxAgeSeconds = 60, clock = Date.now }: KeySourceOptions) {
    this.#options = { loadKeys, reloadSeconds, maxAgeSeconds, clock }
  }

  known(kid: string): KeyObject | undefined {
    const known = this.#usable(kid)
    // A known key stays valid while the issuer can't be reached; the next use tries again.
    if (known && this.#ageMs() >= this.#options.maxAgeSeconds * 1000) this.#loadOnce().catch(() => undefined)
    return known
  }

  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.known(kid)
    if (known || this.#withdrawn.has(kid)) return known
    if (this.#loading === undefined && this.#ageMs() < this.#options.reloadSeconds * 1000) return undefined
    await this.#loadOnce()
    return this.#usable(kid)
  }

  /** The key verifies nothing any longer, whatever an issuer that has not heard of it publishes. */
  withdraw(kid: string): void {
    this.#withdrawn.add(kid)
  }

  #usable(kid: string): KeyObject | undefined {
    return this.#withdrawn.has(kid) ? undefined : this.#keys.get(kid)?.key
  }

  #ageMs(): number {
    return this.#options.clock() - this.#loadedAt
  }

  #loadOnce(): Promise<void> {
    const waiting = this.#options.clock() - this.#failedAt < retrySeconds * 1000
    if (!this.#loading && waiting) return Promise.reject(unavailable(this.#failure))
    this.#loading ??= this.#fetch().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #fetch(): Promise<void> {
    try {
      this.#keys = importKeys(await this.#options.loadKeys(), this.#keys)
      this.#loadedAt = this.#options.clock()
      this.#failedAt = Number.NEGATIVE_INFINITY
    } catch (error) {
      this.#failedAt = this.#options.clock()
      this.#failure = error
      throw unavailable(error)
    }
  }
}

function unavailable(cause: unknown): Error {
  return new SERVICE_UNAVAILABLE(undefined, { cause, retryAfterSeconds: retrySeconds })
}

/** A set may also hold keys of other kinds and uses (RFC 7517 section 5): they are skipped. A key that stays is the same object. */
function importKeys({ keys }: KeySet, before: ReadonlyMap<string, ImportedKey>): ReadonlyMap<string, ImportedKey> {
  const usable = new Map<string, ImportedKey>()
  for (const jwk of keys as readonly JWK[]) {
    if (typeof jwk.kid !== 'string') continue
    const key = importKey(jwk, before.get(jwk.kid))
    if (key !== undefined) usable.set(jwk.kid, key)
  }
  return usable
}

function importKey(
  { kty, n, e, use = 'sig', alg = 'RS256' }: JWK,
  before: ImportedKey | undefined,
): ImportedKey | undefined {
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string' || use !== 'sig' || alg !== 'RS256') return
  if (before?.modulus === n && before.exponent === e) return before
  try {
    const key = createPublicKey({ key: { kty, n, e }, format: 'jwk' })
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < minimumModulusBits) return undefined
    return { modulus: n, exponent: e, key }
  } catch {
    return undefined
  }
}
