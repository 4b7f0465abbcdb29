import type { TokenClaims, TokenPayload, TokenType } from './claims.ts'
import { TokenError } from './token-error.ts'

export interface PayloadRules {
  readonly type: TokenType
  readonly issuer: string
  readonly audience: string
  readonly clockToleranceSeconds: number
  readonly ignoreExpiry: boolean
  /** Seconds since 1970. */
  readonly now: number
}

/** Checks the claims of a token whose signature is good. Every claim is required. */
export function readPayload(bytes: Uint8Array, rules: PayloadRules): TokenClaims {
  const payload = parse(bytes)
  if (payload.iss !== rules.issuer) throw new TokenError('issuer', 'the token comes from another issuer')
  if (![payload.aud].flat().includes(rules.audience)) throw new TokenError('audience', 'the token is for others')
  const { now, clockToleranceSeconds: tolerance } = rules
  if (payload.nbf > now + tolerance || payload.iat > now + tolerance) {
    throw new TokenError('not-yet-valid', 'the token is not valid yet')
  }
  if (!rules.ignoreExpiry && payload.exp <= now - tolerance) throw new TokenError('expired', 'the token has expired')
  return {
    type: rules.type,
    subject: payload.sub,
    sessionId: payload.sid,
    id: payload.jti,
    issuedAt: payload.iat,
    notBefore: payload.nbf,
    expiresAt: payload.exp,
  }
}

const texts = ['iss', 'sub', 'jti', 'sid'] as const
const times = ['iat', 'nbf', 'exp'] as const

function parse(bytes: Uint8Array): TokenPayload {
  const payload = json(bytes)
  for (const name of texts) {
    if (typeof payload[name] !== 'string' || payload[name] === '') throw missing(name)
  }
  for (const name of times) {
    if (typeof payload[name] !== 'number' || !Number.isFinite(payload[name])) throw missing(name)
  }
  const { aud } = payload
  if (typeof aud !== 'string' && !(Array.isArray(aud) && aud.every(one => typeof one === 'string')))
    throw missing('aud')
  return payload as unknown as TokenPayload
}

function json(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw new TokenError('malformed', 'the claims of the token cannot be read', { cause })
  }
  throw new TokenError('malformed', 'the claims of the token are no object')
}

function missing(name: string): TokenError {
  return new TokenError('malformed', `the token has no proper claim ${name}`)
}
