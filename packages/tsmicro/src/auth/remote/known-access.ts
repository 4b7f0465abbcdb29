import { type Principal, Recent } from '../../call/index.ts'
import type { TokenClaims } from '../tokens/claims.ts'
import type { Kept } from './change-feed.ts'
import { type Clock, elapsed, type Instant } from './clock.ts'
import type { AccessChange, Granted } from './protocol.ts'

/** Sessions and users that are kept, of each at least so many. */
const MOST_KEPT = 10_000

interface KnownUser {
  readonly user: Granted['user']
  readonly roles: readonly string[]
  readonly number: number
}

interface KnownSession {
  readonly accessId: string
  readonly number: number
  readonly askedAt: Instant
  readonly endsInMs: number
  /** Made from what was known of the user then. */
  principal: Principal
  of: KnownUser
}

/** A question about a token that is not answered yet. */
export interface Question {
  readonly claims: TokenClaims
  readonly askedAt: Instant
  /** An answer that does not contain this change is not kept: it is about this session or user, or was known before. */
  changed: number
}

/**
 * The sessions and users that the auth service has told of. An answer is kept with the number of the latest change that it contains. A later
 * change that is about it drops it, in whatever order the two arrive.
 */
export class KnownAccess implements Kept {
  readonly #clock: Clock
  readonly #withdrawKey: (kid: string) => void
  readonly #sessions = new Recent<KnownSession>(MOST_KEPT)
  readonly #users = new Recent<KnownUser>(MOST_KEPT)
  readonly #questions = new Set<Question>()
  /** The latest change that an answer contained. */
  newest = 0

  constructor(clock: Clock, withdrawKey: (kid: string) => void) {
    this.#clock = clock
    this.#withdrawKey = withdrawKey
  }

  /** The user of a verified token, if the session and the user are known. */
  find({ sessionId, id, subject }: TokenClaims): Principal | undefined {
    const session = this.#sessions.get(sessionId)
    const known = this.#users.get(subject)
    if (!session || !known || session.accessId !== id || session.principal.id !== subject) return undefined
    if (elapsed(session.askedAt, this.#clock()) >= session.endsInMs) return undefined
    if (session.of !== known) {
      session.of = known
      session.principal = principalOf(known.user, sessionId)
    }
    return session.principal
  }

  rolesOf(userId: string): readonly string[] | undefined {
    return this.#users.get(userId)?.roles
  }

  forgetUser(userId: string): void {
    this.#users.delete(userId)
  }

  /** @param number of the latest change that was heard of */
  ask(claims: TokenClaims, number: number): Question {
    const question = { claims, askedAt: this.#clock(), changed: number }
    this.#questions.add(question)
    return question
  }

  /** The question is answered, if it was. */
  answer(question: Question, granted: Granted | undefined): void {
    this.#questions.delete(question)
    if (!granted) return
    this.newest = Math.max(this.newest, granted.number)
    if (granted.number < question.changed) return
    const { user, sessionId, roles, number, endsInMs } = granted
    const { claims, askedAt } = question
    // A process that is deployed beside another version of the auth service relies on nothing but what the token says as well.
    if (user.id !== claims.subject || sessionId !== claims.sessionId) return
    const before = this.#users.get(user.id)
    const of = before && before.number > number ? before : { user, roles, number }
    this.#users.set(user.id, of)
    const principal = principalOf(of.user, sessionId)
    this.#sessions.set(sessionId, { accessId: claims.id, number, askedAt, endsInMs, principal, of })
  }

  apply({ number, kind, id }: AccessChange): void {
    // Also what contains the change already: a database that lost its latest changes gives their numbers again.
    if (kind === 'session') this.#sessions.delete(id)
    else if (kind === 'user') this.#users.delete(id)
    else if (kind === 'key') this.#withdrawKey(id)
    else if (kind !== 'apikey') this.forget()
    for (const question of this.#questions) {
      const { sessionId, subject } = question.claims
      if (id === (kind === 'session' ? sessionId : subject)) question.changed = Math.max(question.changed, number)
    }
  }

  forget(): void {
    this.newest = 0
    this.#sessions.clear()
    this.#users.clear()
    for (const question of this.#questions) question.changed = Number.POSITIVE_INFINITY
  }
}

/** All requests of a session share it. */
export function principalOf(user: Granted['user'], sessionId: string): Principal {
  return frozen({ ...user, sessionId })
}

function frozen<T extends object>(value: T): T {
  for (const each of Object.values(value))
    if (typeof each === 'object' && each !== null && !Object.isFrozen(each)) frozen(each)
  return Object.freeze(value)
}
