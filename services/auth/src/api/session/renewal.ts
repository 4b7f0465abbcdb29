import { setTimeout as pause } from 'node:timers/promises'
import { REFRESH_TOKEN_INVALID } from '@blog-platform/auth-contract'
import type { TokenClaims } from 'tsmicro/auth'
import { refuseAbandoned } from './abandoned.ts'
import type { Asking } from './arrivals.ts'
import type { NewPair, Session } from './model.ts'
import type { SessionRepository } from './repository.ts'

/** So long after the first answer the refresh token of the pair before gets the same new pair: a lost answer is no theft. */
const GRACE_MS = 10_000

/** Before a session is ended it is waited so long, for a caller who has left to be noticed. Who is told 401 can wait. */
const NOTICE_MS = 500

export interface Renewing {
  readonly access: TokenClaims
  readonly refresh: TokenClaims
  readonly asking: Asking
  /** Aborts when nobody is waiting for the answer. */
  readonly signal: AbortSignal | undefined
}

/**
 * How the pairs of a session follow each other. What must hold whatever is frozen, killed or lost in between: an owner who
 * repeats what was not answered keeps the session, and who uses a pair long after it was exchanged and answered ends it.
 */
export class Renewal {
  readonly #sessions: SessionRepository

  constructor(sessions: SessionRepository) {
    this.#sessions = sessions
  }

  /**
   * The session with the pair that is to be given out.
   * @throws {REFRESH_TOKEN_INVALID}
   */
  async exchange({ access, refresh, asking, signal }: Renewing, next: NewPair): Promise<Session> {
    const exchanged = await this.#sessions.exchange(access, refresh, next)
    if (exchanged) return exchanged
    const session = await this.#sessions.find(refresh.sessionId)
    if (session?.userId !== refresh.subject) throw new REFRESH_TOKEN_INVALID()
    const verdict = judge(session, refresh.id, session.sinceIssuedMs - asking.ageMs())
    if (verdict === 'again') return session
    if (verdict === 'stolen') await this.#endStolen(session, asking, signal)
    throw new REFRESH_TOKEN_INVALID()
  }

  /** Not for a caller who is gone: that one learns nothing, and may be the owner, who has a newer pair by now. */
  async #endStolen({ id }: Session, asking: Asking, signal: AbortSignal | undefined): Promise<void> {
    await pause(NOTICE_MS, undefined, signal && { signal }).catch(() => undefined)
    refuseAbandoned(asking, signal)
    // One statement: an instance that is frozen now holds no lock.
    await this.#sessions.revoke(id)
  }
}

/** @param sentMs from the newest pair's issue to the sending of the request; less than 0 when it was sent before */
function judge(session: Session, refreshId: string, sentMs: number): 'refused' | 'again' | 'stolen' {
  const { previousRefreshId, answeredMs } = session
  // The newest one, with an access token that it was not issued with: nothing is known to be stolen.
  if (refreshId === session.refreshId) return 'refused'
  if (refreshId !== previousRefreshId) return sentMs > 0 ? 'stolen' : 'refused'
  // Nobody has been told of the newest pair: then nobody can have gone on to it, and this is who asks for it.
  if (answeredMs === undefined) return 'again'
  return sentMs <= answeredMs + GRACE_MS ? 'again' : 'stolen'
}
