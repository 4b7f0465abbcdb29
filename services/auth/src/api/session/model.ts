/** A session: one sign-in and all its renewals. */
export interface Session {
  readonly id: string
  readonly userId: string
  /** `jti` of the only valid access token. */
  readonly accessId: string
  /** `jti` of the only valid refresh token. */
  readonly refreshId: string
  readonly previousRefreshId: string | undefined
  /** When the newest pair was issued, in whole seconds since 1970 by the clock of the instance that issued it. */
  readonly issuedAt: number
  /** When the session ends, however often it is renewed; in the same unit, by the same clock. */
  readonly endsAt: number
  /** Milliseconds from the issue of the newest pair until this row was read, both by the database's clock. */
  readonly sinceIssuedMs: number
  /** Milliseconds from the issue of the newest pair to the first answer with it; undefined if no answer is known. */
  readonly answeredMs: number | undefined
}

/** The ids of a new pair of tokens. */
export interface NewPair {
  readonly accessId: string
  readonly refreshId: string
  /** Whole seconds since 1970 by this instance's clock. */
  readonly issuedAt: number
}

export interface SessionLimits {
  /** A session ends if it is not renewed for this long. */
  readonly refreshSeconds: number
  /** A session ends this long after sign-in, however often it is renewed. */
  readonly maxSeconds: number
  /** Sessions of one user. Beyond that, the ones that have not been renewed for the longest time are deleted. */
  readonly perUser: number
}
