/** A session family: one sign-in and all its renewals. */
export interface Session {
  readonly id: string
  readonly userId: string
  /** `jti` of the only access token that is good. */
  readonly accessId: string
  /** `jti` of the only refresh token that is good. */
  readonly refreshId: string
  readonly previousRefreshId: string | undefined
  /** When the newest pair was issued, whole seconds since 1970. */
  readonly issuedAt: number
}
