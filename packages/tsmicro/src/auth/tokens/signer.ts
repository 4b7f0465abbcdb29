import { CompactSign } from 'jose'
import type { KeyRing } from '../keys/key-ring.ts'
import { algorithm, headerTypes, type TokenPayload, type TokenType } from './claims.ts'

interface TokenSignerOptions {
  /** Its current key signs, and the key's `kid` goes into the header. */
  readonly keyRing: Pick<KeyRing, 'current'>
  /** `iss` */
  readonly issuer: string
  /** `aud` */
  readonly audience: string
}

/** What goes into a token. Times in whole seconds since 1970. */
export interface TokenRequest {
  readonly type: TokenType
  readonly subject: string
  readonly sessionId: string
  /** `jti` */
  readonly id: string
  readonly issuedAt: number
  readonly expiresAt: number
  /** Default: `issuedAt`. */
  readonly notBefore?: number
}

export interface TokenSigner {
  /**
   * Signs a token. Deterministic: equal input and key give the same text (RSASSA-PKCS1-v1_5 has no randomness, and the
   * claims are written in a fixed order), so a token need not be stored to be issued a second time.
   * @throws {TypeError} for times that are not whole seconds, or an end before the start
   */
  sign(request: TokenRequest): Promise<string>
}

/**
 * @example
 * const signer: TokenSigner = createTokenSigner({ keyRing, issuer: 'https://auth.example', audience: 'example' })
 * await signer.sign({ type: 'access', subject: user.id, sessionId, id: randomUUID(), issuedAt: now, expiresAt: now + 900 })
 */
export function createTokenSigner({ keyRing, issuer, audience }: TokenSignerOptions): TokenSigner {
  return {
    sign(request) {
      const { type, subject, sessionId, id, issuedAt, expiresAt, notBefore = issuedAt } = request
      if (![issuedAt, notBefore, expiresAt].every(Number.isSafeInteger))
        throw new TypeError('token times are whole seconds since 1970')
      if (expiresAt <= issuedAt || expiresAt <= notBefore) throw new TypeError('a token must end after it begins')
      const payload: TokenPayload = {
        iss: issuer,
        sub: subject,
        aud: audience,
        iat: issuedAt,
        nbf: notBefore,
        exp: expiresAt,
        jti: id,
        sid: sessionId,
      }
      const { kid, privateKey } = keyRing.current
      return new CompactSign(Buffer.from(JSON.stringify(payload)))
        .setProtectedHeader({ alg: algorithm, typ: headerTypes[type], kid })
        .sign(privateKey)
    },
  }
}
