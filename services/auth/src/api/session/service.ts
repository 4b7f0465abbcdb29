import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { type GrantedAccess, REFRESH_TOKEN_INVALID, type Tokens, type TokenUser } from '@blog-platform/auth-contract'
import { type TokenClaims, TokenError, type TokenVerifier } from 'tsmicro/auth'
import type { Connection, RunInTransaction } from '../../database.ts'
import type { User } from '../user/model.ts'
import type { NewPair, Session } from './model.ts'
import { Renewal } from './renewal.ts'
import type { SessionRepository } from './repository.ts'
import type { RequestAge, RequestClock } from './request-clock.ts'
import type { TokenPairs } from './tokens.ts'

export interface SessionServiceParts {
  readonly sessions: SessionRepository
  readonly pairs: TokenPairs
  readonly verifier: TokenVerifier
  readonly clock: RequestClock
  readonly transaction: RunInTransaction
}

/** Starts, renews and ends sessions. */
export class SessionService {
  readonly #parts: SessionServiceParts
  readonly #renewal: Renewal
  /** Answers that are being recorded, by session. */
  readonly #recording = new Map<string, Promise<void>>()

  constructor(parts: SessionServiceParts) {
    this.#parts = parts
    this.#renewal = new Renewal(parts.sessions, id => this.end(id))
  }

  /** Starts a session. Its tokens are signed separately, so that no transaction stays open meanwhile. */
  async begin(userId: string, db?: Connection): Promise<Session> {
    const { sessions } = this.#parts
    const session = await sessions.create(randomUUID(), userId, freshPair(), db)
    await sessions.deleteEnded(db)
    return session
  }

  /** Starts a session for a user who may have others. The limit per user ends those not renewed for the longest time. */
  async beginOneMore(userId: string): Promise<Session> {
    const session = await this.begin(userId)
    const { sessions, transaction } = this.#parts
    await transaction(change => sessions.deleteSurplus(userId, change))
    return session
  }

  tokensOf(session: Session): Promise<Tokens> {
    return this.#parts.pairs.sign(session)
  }

  /**
   * Exchanges a pair for the next one. Callers who get no answer, or a failure, may repeat the request with the same pair for
   * as long as it takes, and for ten seconds after the first answer.
   * @param accessToken the pair's access token, which may be expired
   * @param signal aborts when the caller no longer waits for the answer
   * @throws {REFRESH_TOKEN_INVALID} if either token is invalid; reusing a refresh token late also ends the whole session
   * @throws {DEADLINE_EXCEEDED} if the request was sent so long ago that nobody waits for it
   */
  async renew(accessToken: string | undefined, refreshToken: string, signal?: AbortSignal): Promise<Tokens> {
    const age = this.#parts.clock.read()
    age.throwIfAbandoned(signal)
    const access = await this.#verify(accessToken, 'access')
    const refresh = await this.#verify(refreshToken, 'refresh')
    if (access.sessionId !== refresh.sessionId || access.subject !== refresh.subject) throw new REFRESH_TOKEN_INVALID()
    await this.#recording.get(refresh.sessionId)
    age.throwIfAbandoned(signal)
    const session = await this.#renewal.exchange({ access, refresh, age, signal }, freshPair())
    const tokens = await this.tokensOf(session)
    age.throwIfAbandoned(signal)
    if (session.answeredMs === undefined) this.#recordAnswer(session, age, signal)
    return tokens
  }

  /** Ends a session. Its tokens are refused from then on. */
  end(sessionId: string): Promise<void> {
    const { sessions, transaction } = this.#parts
    return transaction(change => sessions.revoke(sessionId, change))
  }

  /**
   * Ends the session of a refresh token. Any token of the session will do, even if it is not the newest.
   * @throws {REFRESH_TOKEN_INVALID} if it is not ours, or has expired
   */
  async endBy(refreshToken: string): Promise<void> {
    await this.end((await this.#verify(refreshToken, 'refresh')).sessionId)
  }

  /** The user of a verified access token, as long as that token is the newest of an active session. */
  ownerOf(claims: TokenClaims): Promise<TokenUser | undefined> {
    return this.#parts.sessions.findOwner(claims)
  }

  accountOf(claims: TokenClaims): Promise<User | undefined> {
    return this.#parts.sessions.findAccount(claims)
  }

  /** What such a token permits. */
  accessOf(claims: TokenClaims): Promise<GrantedAccess | undefined> {
    return this.#parts.sessions.findAccess(claims)
  }

  #recordAnswer(session: Session, age: RequestAge, signal: AbortSignal | undefined): void {
    const recording = this.#recordOnceSent(session, age, signal).finally(() => {
      if (this.#recording.get(session.id) === recording) this.#recording.delete(session.id)
    })
    this.#recording.set(session.id, recording)
  }

  /**
   * Always runs after the answer is sent: recording an answer that was then not sent would count against the owner. If it is
   * never recorded, because that failed or this instance died, the grace period merely lasts longer.
   */
  async #recordOnceSent(session: Session, age: RequestAge, signal: AbortSignal | undefined): Promise<void> {
    // Two turns: the first writes the answer, and in between a caller who has left would be noticed.
    await turn()
    await turn()
    if (age.isAbandoned(signal)) return
    await this.#parts.sessions.answered(session, session.sinceIssuedMs + age.ageMs()).catch(() => undefined)
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
