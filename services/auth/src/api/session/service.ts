import { randomUUID } from 'node:crypto'
import { REFRESH_TOKEN_INVALID, type Tokens, type TokenUser } from '@blog-platform/auth-contract'
import { type TokenClaims, TokenError, type TokenVerifier } from 'tsmicro/auth'
import type { Connection, RunInTransaction } from '../../database/connection.ts'
import type { Session } from './model.ts'
import type { SessionRepository } from './repository.ts'
import type { TokenPairs } from './token-pair.ts'

/** Within this time the refresh token of the pair before gets the same new pair again: a lost answer is no theft. */
const GRACE_SECONDS = 10

export interface SessionServiceParts {
  readonly sessions: SessionRepository
  readonly pairs: TokenPairs
  readonly verifier: TokenVerifier
  readonly transaction: RunInTransaction
}

/** Begins, renews and ends sessions. */
export class SessionService {
  readonly #parts: SessionServiceParts

  constructor(parts: SessionServiceParts) {
    this.#parts = parts
  }

  /** A new session; its tokens are signed apart from it, so that no transaction is open meanwhile. */
  async begin(userId: string, db?: Connection): Promise<Session> {
    const { sessions, pairs } = this.#parts
    const session: Session = { id: randomUUID(), userId, previousRefreshId: undefined, ...freshPair() }
    await sessions.create(session, pairs.expiryOf(session), db)
    await sessions.deleteEnded(db)
    return session
  }

  tokensOf(session: Session): Promise<Tokens> {
    return this.#parts.pairs.sign(session)
  }

  /**
   * Exchanges a pair for the next one.
   * @param accessToken the pair's access token, which may be expired
   * @param signal aborts when nobody waits for the answer any more: then nothing is exchanged, as the caller will come again
   * with what they have, perhaps too late for that to pass as a lost answer
   * @throws {REFRESH_TOKEN_INVALID} when either is not good; late re-use of a refresh token also ends the whole family
   */
  async renew(accessToken: string | undefined, refreshToken: string, signal?: AbortSignal): Promise<Tokens> {
    const askedAt = now()
    const access = await this.#verify(accessToken, 'access')
    const refresh = await this.#verify(refreshToken, 'refresh')
    if (access.sessionId !== refresh.sessionId || access.subject !== refresh.subject) throw new REFRESH_TOKEN_INVALID()
    const next = await this.#parts.transaction(async db => {
      const session = await this.#rotate(access, refresh, askedAt, db)
      if (session) signal?.throwIfAborted()
      return session
    })
    if (!next) throw new REFRESH_TOKEN_INVALID()
    return this.tokensOf(next)
  }

  /** Ends a session: its tokens are refused from now on. */
  end(sessionId: string): Promise<void> {
    return this.#parts.sessions.revoke(sessionId)
  }

  /** The user of a verified access token, while that token is the newest of a living session. */
  ownerOf(claims: TokenClaims): Promise<TokenUser | undefined> {
    return this.#parts.sessions.findOwner(claims)
  }

  async #rotate(
    access: TokenClaims,
    refresh: TokenClaims,
    askedAt: number,
    db: Connection,
  ): Promise<Session | undefined> {
    const { sessions, pairs } = this.#parts
    const session = await sessions.lock(refresh.sessionId, db)
    if (!session) return undefined
    if (refresh.id === session.refreshId) {
      // Not the pair it was issued with: nothing is known to be stolen, but nothing is given out either.
      if (access.id !== session.accessId) return undefined
      const next: Session = { ...session, previousRefreshId: session.refreshId, ...freshPair() }
      await sessions.renew(next, pairs.expiryOf(next), db)
      return next
    }
    if (refresh.id === session.previousRefreshId && askedAt - session.issuedAt <= GRACE_SECONDS) return session
    // Somebody holds a token that was exchanged long ago: either this caller or the one who exchanged it is a thief.
    await sessions.revoke(session.id, db)
    return undefined
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

function freshPair() {
  return { accessId: randomUUID(), refreshId: randomUUID(), issuedAt: now() }
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
