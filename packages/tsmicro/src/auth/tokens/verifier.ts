import type { KeyObject } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, errors } from 'jose'
import { algorithm, headerTypes, type TokenClaims, TokenError, type TokenPayload, type TokenType } from './claims.ts'
import { type KeyLookup, KeySource, type KeySourceOptions } from './key-source.ts'

export interface TokenVerifierOptions {
  /** Where the issuer's public keys come from: how to load them or, in the issuer itself, its `RotatingKeyRing`. */
  readonly keys: Omit<KeySourceOptions, 'clock'> | KeyLookup
  readonly issuer: string
  readonly audience: string
  /** How far the clocks of issuer and verifier may differ. Default 5. */
  readonly clockToleranceSeconds?: number
  /** Milliseconds since 1970; default `Date.now`. */
  readonly clock?: () => number
}

interface VerifyOptions {
  /** The kind of token that is wanted here; the other kind is refused. */
  readonly type: TokenType
  /** Accepts an expired token, as a refresh does with the old access token. Everything else is still checked. */
  readonly ignoreExpiry?: boolean
}

export interface TokenVerifier {
  /**
   * @throws {TokenError} if the token is not valid
   * @throws {SERVICE_UNAVAILABLE} if the keys can't be loaded, which says nothing about the token
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
  const { issuer, audience, clockToleranceSeconds: tolerance = 5, clock = Date.now } = options
  const keys = 'find' in options.keys ? options.keys : new KeySource({ ...options.keys, clock })
  return {
    async verify(token, { type, ignoreExpiry = false }) {
      const kid = readHeader(token, type)
      const key = await keys.find(kid)
      if (key === undefined) throw new TokenError('unknown-key', 'the token is signed with an unknown key')
      const payload = parseClaims(await checkSignature(token, key))
      if (payload.iss !== issuer) throw new TokenError('issuer', 'the token comes from another issuer')
      if (![payload.aud].flat().includes(audience))
        throw new TokenError('audience', 'the token is for another audience')
      const now = Math.floor(clock() / 1000)
      if (payload.nbf > now + tolerance || payload.iat > now + tolerance)
        throw new TokenError('not-yet-valid', 'the token is not valid yet')
      if (!ignoreExpiry && payload.exp <= now - tolerance) throw new TokenError('expired', 'the token has expired')
      return {
        type,
        subject: payload.sub,
        sessionId: payload.sid,
        id: payload.jti,
        issuedAt: payload.iat,
        notBefore: payload.nbf,
        expiresAt: payload.exp,
      }
    },
  }
}

/** Far more than any of our tokens (about 700 bytes), far less than what takes long to parse. */
const maxLength = 8192

/**
 * Checks a token before any cryptography: its size, its form, and the header members that may mislead a verifier (RFC 8725).
 * @returns the `kid`
 */
function readHeader(token: string, type: TokenType): string {
  if (typeof token !== 'string' || token.length > maxLength) throw new TokenError('malformed', 'the token is too long')
  // RFC 7515: three base64url parts. Checked here, as decoders are lenient.
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]*)$/.exec(token) ?? []
  // The last character of a signature has 4 unused bits: a token should have only one spelling.
  if (signature === undefined || Buffer.from(signature, 'base64url').toString('base64url') !== signature) {
    throw new TokenError('malformed', 'the token is not a JWT')
  }
  const { alg, typ, kid, crit, b64 } = decodeHeader(token)
  if (alg !== algorithm) throw new TokenError('algorithm', `the token is not signed with ${algorithm}`)
  if (typ !== headerTypes[type]) throw new TokenError('type', `the token is not of type ${type}`)
  if (crit !== undefined || b64 !== undefined) throw new TokenError('malformed', 'the token asks for extensions')
  if (typeof kid !== 'string' || kid === '') throw new TokenError('malformed', 'the token does not name a key')
  return kid
}

function decodeHeader(token: string): ReturnType<typeof decodeProtectedHeader> {
  try {
    return decodeProtectedHeader(token)
  } catch (cause) {
    throw new TokenError('malformed', 'the header of the token cannot be read', { cause })
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

const texts = ['iss', 'sub', 'jti', 'sid'] as const
const times = ['iat', 'nbf', 'exp'] as const

/** Every claim is required. */
function parseClaims(bytes: Uint8Array): TokenPayload {
  const payload = parseObject(bytes)
  for (const name of texts) {
    if (typeof payload[name] !== 'string' || payload[name] === '') throw badClaim(name)
  }
  for (const name of times) {
    if (typeof payload[name] !== 'number' || !Number.isFinite(payload[name])) throw badClaim(name)
  }
  const { aud } = payload
  if (typeof aud !== 'string' && !(Array.isArray(aud) && aud.every(one => typeof one === 'string')))
    throw badClaim('aud')
  return payload as unknown as TokenPayload
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw new TokenError('malformed', 'the claims of the token cannot be read', { cause })
  }
  throw new TokenError('malformed', 'the claims of the token are not an object')
}

function badClaim(name: string): TokenError {
  return new TokenError('malformed', `the claim ${name} of the token is missing or invalid`)
}
