import { hash, type KeyObject } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, errors } from 'jose'
import { Recent } from '../../call/index.ts'
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

interface VerifierOptions extends TokenVerifierOptions {
  readonly keys: KeyLookup
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
 * Verifies tokens with the issuer's published keys, without asking it each time. The algorithm is pinned to RS256. Signatures of recent
 * tokens are remembered, until the token expires or its key is no longer published.
 *
 * @example
 * const verifier: TokenVerifier = createTokenVerifier({
 *   keys: { loadKeys: () => natsClient.client(keys).jwks() },
 *   issuer: 'https://auth.example', audience: 'example',
 * })
 * const { subject }: TokenClaims = await verifier.verify(token, { type: 'access' })
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { keys, clock = Date.now } = options
  return new Verifier({ ...options, keys: 'find' in keys ? keys : new KeySource({ ...keys, clock }) })
}

/** Tokens whose signatures are remembered, at least. Each takes about 1 kB. */
const MOST_REMEMBERED = 10_000

/** A token whose signature and claims were checked with a key. */
interface Signed {
  readonly claims: TokenClaims
  readonly key: KeyObject
}

/** Verifies most tokens without waiting: those that it has verified before. */
export class Verifier implements TokenVerifier {
  readonly #options: Required<Omit<TokenVerifierOptions, 'keys'>>
  readonly #keys: KeyLookup
  /** By the digest of the token, so that a copy of the memory contains no tokens. */
  readonly #signed = new Recent<Signed>(MOST_REMEMBERED)

  constructor({ keys, clockToleranceSeconds = 5, clock = Date.now, ...options }: VerifierOptions) {
    this.#keys = keys
    this.#options = { ...options, clockToleranceSeconds, clock }
  }

  async verify(token: string, { type, ignoreExpiry = false }: VerifyOptions): Promise<TokenClaims> {
    const claims = this.#remembered(token, type) ?? (await this.#check(token, type))
    const now = this.#now()
    const tolerance = this.#options.clockToleranceSeconds
    if (claims.notBefore > now + tolerance || claims.issuedAt > now + tolerance)
      throw new TokenError('not-yet-valid', 'the token is not valid yet')
    if (!ignoreExpiry && this.#isExpired(claims)) throw new TokenError('expired', 'the token has expired')
    return claims
  }

  /** The claims of a token that is valid and was verified before; undefined if it has to be verified. */
  recall(token: string, type: TokenType): TokenClaims | undefined {
    const claims = this.#remembered(token, type)
    if (claims === undefined) return undefined
    const latest = this.#now() + this.#options.clockToleranceSeconds
    return claims.notBefore > latest || claims.issuedAt > latest ? undefined : claims
  }

  #remembered(token: string, type: TokenType): TokenClaims | undefined {
    if (typeof token !== 'string' || token.length > maxLength) return undefined
    const found = this.#signed.get(digestOf(token))
    if (found?.claims.type !== type || this.#keys.known(found.claims.keyId) !== found.key) return undefined
    return this.#isExpired(found.claims) ? undefined : found.claims
  }

  async #check(token: string, type: TokenType): Promise<TokenClaims> {
    const kid = readHeader(token, type)
    const key = await this.#keys.find(kid)
    if (key === undefined) throw new TokenError('unknown-key', 'the token is signed with an unknown key')
    const payload = parseClaims(await checkSignature(token, key))
    const { issuer, audience } = this.#options
    if (payload.iss !== issuer) throw new TokenError('issuer', 'the token comes from another issuer')
    if (![payload.aud].flat().includes(audience)) throw new TokenError('audience', 'the token is for another audience')
    const claims: TokenClaims = Object.freeze({
      type,
      subject: payload.sub,
      sessionId: payload.sid,
      id: payload.jti,
      keyId: kid,
      issuedAt: payload.iat,
      notBefore: payload.nbf,
      expiresAt: payload.exp,
    })
    if (!this.#isExpired(claims)) this.#signed.set(digestOf(token), { claims, key })
    return claims
  }

  #isExpired({ expiresAt }: TokenClaims): boolean {
    return expiresAt <= this.#now() - this.#options.clockToleranceSeconds
  }

  #now(): number {
    return Math.floor(this.#options.clock() / 1000)
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64url')
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
