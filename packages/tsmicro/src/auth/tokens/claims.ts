/** What a token is for. The header's `typ` says it too, so that one kind can't pass for the other. */
export type TokenType = 'access' | 'refresh'

/** `at+jwt` is RFC 9068; `rt+jwt` is its counterpart for refresh tokens. */
export const headerTypes = { access: 'at+jwt', refresh: 'rt+jwt' } as const satisfies Record<TokenType, string>

/** The only signature algorithm; never taken from a token. */
export const algorithm = 'RS256'

/** The claims of a verified token. All times in whole seconds since 1970 (NumericDate of RFC 7519). */
export interface TokenClaims {
  readonly type: TokenType
  /** `sub`: the user's id. */
  readonly subject: string
  /** `sid`: the session, which survives a refresh. */
  readonly sessionId: string
  /** `jti`: the id of this token alone. */
  readonly id: string
  /** `kid`: the key that it is signed with. */
  readonly keyId: string
  /** `iat` */
  readonly issuedAt: number
  /** `nbf` */
  readonly notBefore: number
  /** `exp` */
  readonly expiresAt: number
}

/** The claims under their names in the token. */
export interface TokenPayload {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  readonly jti: string
  readonly sid: string
}

/** Why a token was refused. */
export type TokenErrorReason =
  | 'malformed'
  | 'signature'
  | 'expired'
  | 'not-yet-valid'
  | 'issuer'
  | 'audience'
  | 'type'
  | 'unknown-key'
  | 'algorithm'

/**
 * A token that was refused. The reason is for the log and for decisions; a caller should only hear "401".
 *
 * @example
 * try {
 *   await verifier.verify('no token', { type: 'access' })
 * } catch (error) {
 *   if (!(error instanceof TokenError)) throw error
 *   error.reason // 'malformed'
 * }
 */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly reason: TokenErrorReason

  constructor(reason: TokenErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
