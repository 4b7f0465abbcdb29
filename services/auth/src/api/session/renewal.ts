import { setTimeout as pause } from 'node:timers/promises'
import { REFRESH_TOKEN_INVALID } from '@blog-platform/auth-contract'
import type { TokenClaims } from 'tsmicro/auth'
import type { NewPair, Session } from './model.ts'
import type { SessionRepository } from './repository.ts'
import type { RequestAge } from './request-clock.ts'

/** For this long after the first answer, the previous refresh token still yields the same new pair: a lost answer is not theft. */
const GRACE_MS = 10_000

/** The wait before a session is ended, so that a caller who has left is noticed. A caller who will get 401 can wait. */
const NOTICE_MS = 500

export interface RenewalRequest {
  readonly access: TokenClaims
  readonly refresh: TokenClaims
  readonly age: RequestAge
  /** Aborts when the caller no longer waits for the answer. */
  readonly signal: AbortSignal | undefined
}

/**
 * How the pairs of a session follow each other. Two things hold even if instances or clients are frozen, killed or lose their
 * connection in between: owners who repeat a renewal that was not answered keep the session, and anyone who uses a pair long
 * after it was exchanged and answered ends it.
 */
export class Renewal {
  readonly #sessions: SessionRepository
  readonly #end: (sessionId: string) => Promise<void>

  constructor(sessions: SessionRepository, end: (sessionId: string) => Promise<void>) {
    this.#sessions = sessions
    this.#end = end
  }

  /**
   * Returns the session with the pair to give out.
   * @throws {REFRESH_TOKEN_INVALID}
   */
  async exchange(request: RenewalRequest, next: NewPair): Promise<Session> {
    const { access, refresh, age } = request
    const exchanged = await this.#sessions.exchange(access, refresh, next)
    if (exchanged) return exchanged
    const session = await this.#sessions.find(refresh.sessionId)
    if (session?.userId !== refresh.subject) throw new REFRESH_TOKEN_INVALID()
    const verdict = judge(session, refresh.id, session.sinceIssuedMs - age.ageMs())
    if (verdict === 'again') return session
    if (verdict === 'stolen') await this.#endStolen(session, request)
    throw new REFRESH_TOKEN_INVALID()
  }

  /** Does nothing if the caller has left: it learns nothing, and may be the owner, who has a newer pair by now. */
  async #endStolen({ id }: Session, { age, signal }: RenewalRequest): Promise<void> {
    await pause(NOTICE_MS, undefined, signal && { signal }).catch(() => undefined)
    age.throwIfAbandoned(signal)
    // An instance that freezes here holds only the lock of a session that nobody may renew.
    await this.#end(id)
  }
}

/** @param sentMs from the issue of the newest pair to the sending of the request; negative if it was sent before */
function judge(session: Session, refreshId: string, sentMs: number): 'refused' | 'again' | 'stolen' {
  const { previousRefreshId, answeredMs } = session
  // The newest refresh token with an access token from another pair: this does not show that anything was stolen.
  if (refreshId === session.refreshId) return 'refused'
  if (refreshId !== previousRefreshId) return sentMs > 0 ? 'stolen' : 'refused'
  // Nobody has received the newest pair yet, so nobody can have gone on to use it: this caller is the one who asked for it.
  if (answeredMs === undefined) return 'again'
  return sentMs <= answeredMs + GRACE_MS ? 'again' : 'stolen'
}
