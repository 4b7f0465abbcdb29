import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { REFRESH_TOKEN_INVALID, type Tokens, type TokenUser } from '@blog-platform/auth-contract'
import { type TokenClaims, TokenError, type TokenVerifier } from 'tsmicro/auth'
import type { Connection } from '../../database/connection.ts'
import { isAbandoned, refuseAbandoned } from './abandoned.ts'
import type { Arrivals, Asking } from './arrivals.ts'
import type { NewPair, Session } from './model.ts'
import { Renewal } from './renewal.ts'
import type { SessionRepository } from './repository.ts'
import type { TokenPairs } from './token-pair.ts'

export interface SessionServiceParts {
  readonly sessions: SessionRepository
  readonly pairs: TokenPairs
  readonly verifier: TokenVerifier
  readonly arrivals: Arrivals
}

/** Begins, renews and ends sessions. */
export class SessionService {
  readonly #parts: SessionServiceParts
  readonly #renewal: Renewal
  /** Answers that are being noted, by session. */
  readonly #noting = new Map<string, Promise<void>>()

  constructor(parts: SessionServiceParts) {
    this.#parts = parts
    this.#renewal = new Renewal(parts.sessions)
  }

  /** A new session; its tokens are signed apart from it, so that no transaction is open meanwhile. */
  async begin(userId: string, db?: Connection): Promise<Session> {
    const { sessions } = this.#parts
    const session = await sessions.create(randomUUID(), userId, freshPair(), db)
    await sessions.deleteEnded(db)
    return session
  }

  /** The same for a user who may have others; too many end those that were not renewed for the longest time. */
  async beginOneMore(userId: string): Promise<Session> {
    const session = await this.begin(userId)
    await this.#parts.sessions.deleteSurplus(userId)
    return session
  }

  tokensOf(session: Session): Promise<Tokens> {
    return this.#parts.pairs.sign(session)
  }

  /**
   * Exchanges a pair for the next one. Who is told nothing, or of a failure, may repeat it with the same pair for as long as it
   * takes; from the first answer on for ten seconds.
   * @param accessToken the pair's access token, which may be expired
   * @param signal aborts when nobody is waiting for the answer
   * @throws {REFRESH_TOKEN_INVALID} when either is not good; late re-use of a refresh token also ends the whole family
   * @throws {DEADLINE_EXCEEDED} when it was sent so long ago that nobody waits for it
   */
  async renew(accessToken: string | undefined, refreshToken: string, signal?: AbortSignal): Promise<Tokens> {
    const asking = this.#parts.arrivals.read()
    refuseAbandoned(asking, signal)
    const access = await this.#verify(accessToken, 'access')
    const refresh = await this.#verify(refreshToken, 'refresh')
    if (access.sessionId !== refresh.sessionId || access.subject !== refresh.subject) throw new REFRESH_TOKEN_INVALID()
    await this.#noting.get(refresh.sessionId)
    refuseAbandoned(asking, signal)
    const session = await this.#renewal.exchange({ access, refresh, asking, signal }, freshPair())
    const tokens = await this.tokensOf(session)
    refuseAbandoned(asking, signal)
    if (session.answeredMs === undefined) this.#note(session, asking, signal)
    return tokens
  }

  /** Ends a session: its tokens are refused from now on. */
  end(sessionId: string): Promise<void> {
    return this.#parts.sessions.revoke(sessionId)
  }

  /**
   * Ends the session that a refresh token belongs to, whether or not it is the newest: who has one of them may end it.
   * @throws {REFRESH_TOKEN_INVALID} when it is none of ours, or has expired
   */
  async endBy(refreshToken: string): Promise<void> {
    await this.end((await this.#verify(refreshToken, 'refresh')).sessionId)
  }

  /** The user of a verified access token, while that token is the newest of a living session. */
  ownerOf(claims: TokenClaims): Promise<TokenUser | undefined> {
    return this.#parts.sessions.findOwner(claims)
  }

  #note(session: Session, asking: Asking, signal: AbortSignal | undefined): void {
    const noting = this.#noteAnswer(session, asking, signal).finally(() => {
      if (this.#noting.get(session.id) === noting) this.#noting.delete(session.id)
    })
    this.#noting.set(session.id, noting)
  }

  /**
   * After the answer, never before: what is noted but was not sent would count against the owner. Unnoted, because it failed
   * or this instance died, the grace is only longer.
   */
  async #noteAnswer(session: Session, asking: Asking, signal: AbortSignal | undefined): Promise<void> {
    // Two turns: the answer is written in the first, and in between it would be seen that the caller has left.
    await turn()
    await turn()
    if (isAbandoned(asking, signal)) return
    const afterMs = session.sinceIssuedMs + asking.ageMs()
    await this.#parts.sessions.answered(session, afterMs).catch(() => undefined)
  }

  async #verify(token: string | undefined, type: 'access' | 'refresh'): Promise<TokenClaims> {
    if (token === undefined) throw new REFRESH_TOKEN_INVALID()
    try {
      return await this.#parts.verifier.verify(token, { type, ignoreExpiry: type === 'access' })
    } catch (cause) {
      if (cause instanceof TokenError) throw new REFRESH_TOKEN_INVALID(undefined, { cause })
      throw cause
    }
  }
}

function freshPair(): NewPair {
  return { accessId: randomUUID(), refreshId: randomUUID(), issuedAt: Math.floor(Date.now() / 1000) }
}
