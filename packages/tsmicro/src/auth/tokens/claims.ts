/** What a token is for. The header's `typ` says it too: one kind can't pass for the other. */
export type TokenType = 'access' | 'refresh'

/** `at+jwt` is RFC 9068; `rt+jwt` is its like for refresh tokens. */
export const headerTypes = { access: 'at+jwt', refresh: 'rt+jwt' } as const satisfies Record<TokenType, string>

/** The one signature algorithm; never taken from a token. */
export const algorithm = 'RS256'

/** A verified token, in words. All times in whole seconds since 1970 (NumericDate of RFC 7519). */
export interface TokenClaims {
  readonly type: TokenType
  /** `sub`: the user's id. */
  readonly subject: string
  /** `sid`: the session, which survives a refresh. */
  readonly sessionId: string
  /** `jti`: this one token. */
  readonly id: string
  /** `iat` */
  readonly issuedAt: number
  /** `nbf` */
  readonly notBefore: number
  /** `exp` */
  readonly expiresAt: number
}

/** The claims as they stand in the token. */
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
