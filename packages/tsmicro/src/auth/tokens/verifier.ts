import type { KeyObject } from 'node:crypto'
import { compactVerify, errors } from 'jose'
import { algorithm, type TokenClaims, type TokenType } from './claims.ts'
import { readHeader } from './header.ts'
import { type KeyLookup, KeySource, type KeySourceOptions } from './key-source.ts'
import { readPayload } from './payload.ts'
import { TokenError } from './token-error.ts'

export interface TokenVerifierOptions {
  /** Where the issuer's public keys come from: how to load them, or for the issuer itself its `RotatingKeyRing`. */
  readonly keys: Omit<KeySourceOptions, 'clock'> | KeyLookup
  readonly issuer: string
  readonly audience: string
  /** How far the clocks of issuer and verifier may be apart. Default 5. */
  readonly clockToleranceSeconds?: number
  /** Milliseconds since 1970; default `Date.now`. */
  readonly clock?: () => number
}

interface VerifyOptions {
  /** The kind that is wanted here; the other kind is refused. */
  readonly type: TokenType
  /** Accepts an expired token, as a refresh does with the old access token. Everything else is still checked. */
  readonly ignoreExpiry?: boolean
}

export interface TokenVerifier {
  /**
   * @throws {TokenError} when the token is not good
   * @throws {SERVICE_UNAVAILABLE} when the keys can't be had, which says nothing about the token
   */
  verify(token: string, options: VerifyOptions): Promise<TokenClaims>
}

/**
 * Verifies tokens with the issuer's published keys, without asking it each time. The algorithm is pinned to RS256.
 *
 * @example
 * const verifier: TokenVerifier = createTokenVerifier({
 *   keys: { loadKeys: () => natsClient.client(keys).jwks() },
 *   issuer: 'https://auth.example', audience: 'example',
 * })
 * const { subject }: TokenClaims = await verifier.verify(token, { type: 'access' })
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { issuer, audience, clockToleranceSeconds = 5, clock = Date.now } = options
  const keys = 'find' in options.keys ? options.keys : new KeySource({ ...options.keys, clock })
  return {
    async verify(token, { type, ignoreExpiry = false }) {
      const kid = readHeader(token, type)
      const key = await keys.find(kid)
      if (key === undefined) throw new TokenError('unknown-key', 'the token is signed with an unknown key')
      const payload = await checkSignature(token, key)
      const now = Math.floor(clock() / 1000)
      return readPayload(payload, { type, issuer, audience, clockToleranceSeconds, ignoreExpiry, now })
    },
  }
}

async function checkSignature(token: string, key: KeyObject): Promise<Uint8Array> {
  try {
    return (await compactVerify(token, key, { algorithms: [algorithm] })).payload
  } catch (cause) {
    if (cause instanceof errors.JWSSignatureVerificationFailed) {
      throw new TokenError('signature', 'the signature of the token is wrong', { cause })
    }
    if (cause instanceof errors.JOSEError) throw new TokenError('malformed', 'the token cannot be read', { cause })
    throw cause
  }
}
