/** A session family: one sign-in and all its renewals. */
export interface Session {
  readonly id: string
  readonly userId: string
  /** `jti` of the only access token that is good. */
  readonly accessId: string
  /** `jti` of the only refresh token that is good. */
  readonly refreshId: string
  readonly previousRefreshId: string | undefined
  /** When the newest pair was issued, whole seconds since 1970 by the clock of the instance that did it. */
  readonly issuedAt: number
  /** When the session ends, however often it is renewed; likewise. */
  readonly endsAt: number
  /** Milliseconds from the newest pair's issue to this reading, both by the database's clock. */
  readonly sinceIssuedMs: number
  /** Milliseconds from the newest pair's issue to the first answer with it; `undefined` when none is known of. */
  readonly answeredMs: number | undefined
}

/** What a new pair of tokens is named by. */
export interface NewPair {
  readonly accessId: string
  readonly refreshId: string
  /** Whole seconds since 1970 by this instance's clock. */
  readonly issuedAt: number
}

export interface SessionLimits {
  /** A session ends when it was not renewed for so long. */
  readonly refreshSeconds: number
  /** A session ends so long after signing in, however often it was renewed. */
  readonly maxSeconds: number
  /** Sessions of one user; beyond that those go that were not renewed for the longest time. */
  readonly perUser: number
}
