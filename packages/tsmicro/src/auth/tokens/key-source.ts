import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { minimumModulusBits } from '../keys/index.ts'

/** A JWKS as it was published; read with suspicion. */
export interface KeySet {
  readonly keys: readonly object[]
}

export interface KeySourceOptions {
  /** Fetches the published keys, e.g. over NATS or HTTP. Should end by itself within seconds. */
  readonly loadKeys: () => Promise<KeySet>
  /** An unknown `kid` causes a load at most this often. Default 10. */
  readonly reloadSeconds?: number
  /**
   * When they are used after this time they are fetched anew in the background, so that withdrawn ones go and new ones are known
   * before they sign: the issuer must publish a key for longer than this before it signs with it. Default 60.
   */
  readonly maxAgeSeconds?: number
  /** Milliseconds since 1970; default `Date.now`. */
  readonly clock?: () => number
}

/** Where a verifier finds public keys. */
export interface KeyLookup {
  /**
   * @returns undefined when the issuer has published no such key
   * @throws {SERVICE_UNAVAILABLE} when that cannot be known now
   */
  find(kid: string): Promise<KeyObject | undefined>
}

/** A load that failed may be tried again this soon: being unable to answer is worse than asking often. */
const retrySeconds = 1

/** The issuer's public keys: loaded when needed, by one caller for all, and kept while the issuer is away. */
export class KeySource implements KeyLookup {
  readonly #load: () => Promise<KeySet>
  readonly #reloadMs: number
  readonly #maxAgeMs: number
  readonly #clock: () => number
  #keys = new Map<string, KeyObject>()
  #loading: Promise<void> | undefined
  #loadedAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #failure: unknown

  constructor({ loadKeys, reloadSeconds = 10, maxAgeSeconds = 60, clock = Date.now }: KeySourceOptions) {
    this.#load = loadKeys
    this.#reloadMs = reloadSeconds * 1000
    this.#maxAgeMs = maxAgeSeconds * 1000
    this.#clock = clock
  }

  /**
   * @returns undefined when the issuer has published no such key
   * @throws {SERVICE_UNAVAILABLE} when the keys can't be had: nothing is known about the token then
   */
  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.#keys.get(kid)
    if (known !== undefined) {
      this.#refreshWhenOld()
      return known
    }
    if (this.#loading === undefined && this.#clock() - this.#loadedAt < this.#reloadMs) return undefined
    await this.#loadOnce()
    return this.#keys.get(kid)
  }

  #refreshWhenOld(): void {
    if (this.#clock() - this.#loadedAt < this.#maxAgeMs) return
    // the known key stays good while the issuer can't be reached; the next use tries again
    this.#loadOnce().catch(() => undefined)
  }

  #loadOnce(): Promise<void> {
    if (this.#loading === undefined) {
      if (this.#clock() - this.#failedAt < retrySeconds * 1000) return Promise.reject(unavailable(this.#failure))
      this.#loading = this.#fetch().finally(() => {
        this.#loading = undefined
      })
    }
    return this.#loading
  }

  async #fetch(): Promise<void> {
    try {
      // `async` turns a throw into a rejection
      this.#keys = importKeys(await (async () => this.#load())())
      this.#loadedAt = this.#clock()
      this.#failedAt = Number.NEGATIVE_INFINITY
    } catch (error) {
      this.#failedAt = this.#clock()
      this.#failure = error
      throw unavailable(error)
    }
  }
}

function unavailable(cause: unknown): Error {
  return new SERVICE_UNAVAILABLE(undefined, { cause, retryAfterSeconds: retrySeconds })
}

/** Keys of other kinds and uses may stand in the same set (RFC 7517 section 5): they are passed over. */
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
