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
  /**
   * @returns undefined if the issuer has not published such a key
   * @throws {SERVICE_UNAVAILABLE} if that cannot be known now
   */
  find(kid: string): Promise<KeyObject | undefined>
}

/** A failed load may be repeated this soon: being unable to answer is worse than asking often. */
const retrySeconds = 1

/** The issuer's public keys: loaded on demand, once for all concurrent callers, and kept while the issuer is unreachable. */
export class KeySource implements KeyLookup {
  readonly #options: Required<KeySourceOptions>
  #keys = new Map<string, KeyObject>()
  #loading: Promise<void> | undefined
  #loadedAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #failure: unknown

  constructor({ loadKeys, reloadSeconds = 10, maxAgeSeconds = 60, clock = Date.now }: KeySourceOptions) {
    this.#options = { loadKeys, reloadSeconds, maxAgeSeconds, clock }
  }

  async find(kid: string): Promise<KeyObject | undefined> {
    const { reloadSeconds, maxAgeSeconds, clock } = this.#options
    const age = clock() - this.#loadedAt
    const known = this.#keys.get(kid)
    if (known !== undefined) {
      // A known key stays valid while the issuer can't be reached; the next use tries again.
      if (age >= maxAgeSeconds * 1000) this.#loadOnce().catch(() => undefined)
      return known
    }
    if (this.#loading === undefined && age < reloadSeconds * 1000) return undefined
    await this.#loadOnce()
    return this.#keys.get(kid)
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
      this.#keys = importKeys(await this.#options.loadKeys())
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

/** A set may also hold keys of other kinds and uses (RFC 7517 section 5): they are skipped. */
function importKeys({ keys }: KeySet): Map<string, KeyObject> {
  const usable = new Map<string, KeyObject>()
  for (const jwk of keys as readonly JWK[]) {
    const key = importKey(jwk)
    if (key !== undefined && typeof jwk.kid === 'string') usable.set(jwk.kid, key)
  }
  return usable
}

function importKey({ kty, n, e, use = 'sig', alg = 'RS256' }: JWK): KeyObject | undefined {
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string' || use !== 'sig' || alg !== 'RS256') return
  try {
    const key = createPublicKey({ key: { kty, n, e }, format: 'jwk' })
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) < minimumModulusBits ? undefined : key
  } catch {
    return undefined
  }
}
