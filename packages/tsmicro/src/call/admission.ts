import { type Access, isRole, needsUser, type Role } from '../contract/index.ts'
import { FORBIDDEN, OVERLOADED, UNAUTHENTICATED } from '../errors/index.ts'
import type { CallContext, Log, Principal } from './context.ts'
import { type Deadline, isThenable } from './deadline.ts'
import { Queue } from './queue.ts'

/** Authentication: identifies the user. A service decides how tokens are verified. What is known at once need not be a promise. */
export interface AuthenticationProvider {
  /**
   * @param token the bearer token, not yet verified
   * @throws {UNAUTHENTICATED} when the token is invalid
   * @throws {SERVICE_UNAVAILABLE} or {DEADLINE_EXCEEDED} when the token cannot be verified now
   */
  authenticate(token: string, context: CallContext): Principal | Promise<Principal>
}

/** Authorization: checks the user's role. A service decides where roles come from. */
export interface AuthorizationProvider {
  /**
   * @throws {FORBIDDEN} when the user has neither the role nor a higher one
   * @throws {SERVICE_UNAVAILABLE} or {DEADLINE_EXCEEDED} when the role cannot be checked now
   */
  authorize(user: Principal, role: Role, context: CallContext): undefined | Promise<void>
}

/** Identifies the user and checks their access; returns the user, at once if the providers know everything. */
export type Guard = (context: CallContext) => Principal | Promise<Principal>

/**
 * The guard of an access rule; `undefined` if the rule needs no user, so that such calls pay nothing.
 * @throws {TypeError} when the rule needs a user and there is no authentication; without authorization, roles are refused
 */
export function guardOf(
  access: Access,
  authentication: AuthenticationProvider | undefined,
  authorization: AuthorizationProvider | undefined,
): Guard | undefined {
  if (!needsUser(access)) return undefined
  if (!authentication) throw new TypeError('authentication is missing')
  const permitted = (user: Partial<Principal> | undefined, context: CallContext) => {
    if (!isUser(user)) throw new TypeError('authenticate() found no user: resolve { id }, or throw UNAUTHENTICATED')
    const checking = isRole(access) ? requireRole(authorization, user, access, context) : undefined
    return checking ? checking.then(() => user) : user
  }
  return context => {
    const { token } = context
    if (token === undefined) throw new UNAUTHENTICATED()
    const user: unknown = authentication.authenticate(token, context)
    return isThenable(user)
      ? Promise.resolve(user).then(found => permitted(found as Partial<Principal> | undefined, context))
      : permitted(user as Partial<Principal> | undefined, context)
  }
}

/** @throws {FORBIDDEN} or rejects with it when the user has neither the role nor a higher one, and without a provider */
export function requireRole(
  authorization: AuthorizationProvider | undefined,
  user: Principal,
  role: Role,
  context: CallContext,
): Promise<void> | undefined {
  const answer: unknown = authorization ? authorization.authorize(user, role, context) : false
  if (isThenable(answer)) return Promise.resolve(answer).then(refuseFalse)
  return refuseFalse(answer)
}

/** A provider in plain JavaScript may return false instead of throwing, which must not pass as a yes. */
function refuseFalse(answer: unknown): undefined {
  if (answer === false) throw new FORBIDDEN()
}

/** Without this check the handler could run without a user. */
function isUser(user: Partial<Principal> | undefined): user is Principal {
  return typeof user?.id === 'string' && user.id !== ''
}

/** The first provider that an access rule needs and that is missing; `undefined` if none is missing. */
export function missingProvider(
  access: Access,
  authentication: Partial<AuthenticationProvider> | undefined,
  authorization: Partial<AuthorizationProvider> | undefined,
): 'authentication' | 'authorization' | undefined {
  if (!needsUser(access)) return undefined
  if (typeof authentication?.authenticate !== 'function') return 'authentication'
  return access !== 'user' && typeof authorization?.authorize !== 'function' ? 'authorization' : undefined
}

/** How many calls one endpoint of one instance accepts at one door. */
export interface EndpointLimits {
  /** Calls handled at the same time. Default 256. */
  readonly maxConcurrent?: number
  /** Calls that wait for their turn; more are refused with OVERLOADED. Default 1,024. */
  readonly maxQueued?: number
  /**
   * Streams that are open, files that are sent, and requests whose files are received or handled, each counted separately; more are refused
   * with OVERLOADED. An open stream does not count as handled. Default 4,096.
   */
  readonly maxStreams?: number
}

/** How many streams one endpoint keeps open unless {@link EndpointLimits} say otherwise. */
const MAX_STREAMS = 4096

/** The open streams of one endpoint. */
export class StreamPlaces {
  readonly #most: number
  readonly #refused: (error: unknown) => unknown
  #taken = 0

  /** @param refused returns what is thrown instead, and may log it */
  constructor({ maxStreams = MAX_STREAMS }: EndpointLimits = {}, refused = (error: unknown) => error) {
    this.#most = maxStreams
    this.#refused = refused
  }

  /** Returns a function that gives the place back; it may be called twice. @throws {OVERLOADED} when all places are taken */
  take(): () => void {
    if (this.#taken >= this.#most) throw this.#refused(overloaded())
    this.#taken += 1
    let taken = 1
    return () => {
      this.#taken -= taken
      taken = 0
    }
  }
}

/** A refused client should not retry at once. */
const RETRY_AFTER_SECONDS = 1

/**
 * Limits how many calls are handled and how many wait, so that an overload costs the few that are refused rather than everybody:
 * an unbounded queue answers all of them too late.
 */
export class Limiter {
  readonly #maxConcurrent: number
  readonly #maxQueued: number
  readonly #queue = new Queue()
  readonly #returning = new Queue()
  #active = 0

  constructor({ maxConcurrent = 256, maxQueued = 1024 }: EndpointLimits = {}) {
    this.#maxConcurrent = maxConcurrent
    this.#maxQueued = maxQueued
  }

  /**
   * Returns undefined if the call may start at once, or else a promise that resolves when it is its turn, in order of arrival. Every
   * call that started must {@link release} its place.
   * @throws {OVERLOADED} when the queue is full; rejects with the deadline's reason if that ends first
   */
  acquire(deadline: Deadline): Promise<void> | undefined {
    return this.#acquire(this.#queue, deadline)
  }

  /**
   * The same for a call that held a place before and released it while it waited for its client. It goes ahead of new calls: otherwise a
   * flood of those would keep any call from being finished.
   */
  reacquire(deadline: Deadline): Promise<void> | undefined {
    return this.#acquire(this.#returning, deadline)
  }

  /** Takes a place if one is free; otherwise returns false, and the caller has to {@link acquire} one. */
  tryAcquire(): boolean {
    if (this.#active >= this.#maxConcurrent) return false
    this.#active += 1
    return true
  }

  /** Refuses a call before it costs anything. @throws {OVERLOADED} when all places and the whole queue are taken */
  refuseWhenFull(): void {
    if (this.#active >= this.#maxConcurrent && this.#queue.size >= this.#maxQueued) throw overloaded()
  }

  #acquire(queue: Queue, deadline: Deadline): Promise<void> | undefined {
    if (this.tryAcquire()) return undefined
    if (queue.size >= this.#maxQueued) throw overloaded()
    return new Promise((resolve, reject) => {
      const forget = deadline.onEnd(reason => {
        queue.remove(place)
        reject(reason)
      })
      const place = queue.add(() => {
        forget()
        resolve()
      })
    })
  }

  /** Hands the place to the next in the queue. */
  release(): void {
    const queue = this.#returning.size > 0 ? this.#returning : this.#queue
    const next = queue.shift()
    if (next) next.admit()
    else this.#active -= 1
  }
}

function overloaded(): Error {
  return new OVERLOADED(undefined, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}

/** Milliseconds between two lines, so that a flood of requests does not become a flood of log lines. */
const LOG_INTERVAL_MS = 10_000

/** Logs something that may happen very often: at intervals, with the number of occurrences. */
export class ThrottledLog {
  readonly #log: Log
  readonly #message: string
  #times = 0
  #loggedAt = Number.NEGATIVE_INFINITY

  constructor(log: Log, message: string) {
    this.#log = log
    this.#message = message
  }

  /** @param fields logged with this occurrence, unless it is only counted because the last line is too recent */
  warn(fields: object): void {
    this.#times += 1
    const now = performance.now()
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return
    this.#log.warn({ ...fields, times: this.#times }, this.#message)
    this.#times = 0
    this.#loggedAt = now
  }
}
