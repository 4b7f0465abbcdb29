import { Deadline, type Middleware, type ProcedureCall } from '../call/index.ts'
import { type ApiError, isDependencyFailure } from '../errors/index.ts'

export interface RetryOptions {
  /** Attempts of one call at most, the first included. Default 3. */
  readonly attempts?: number
  /** Longest wait before the second attempt, in milliseconds; it doubles with each further one. Default 50. */
  readonly baseMs?: number
  /** No wait is longer, in milliseconds. Default 1,000. */
  readonly maxMs?: number
  /**
   * Milliseconds for each attempt but the last, which has all that is left. When an instance dies with a call, only time reveals
   * it, and the next attempt goes to another instance. Make it longer than an answer usually takes, or every call that is merely
   * slow is made twice. Default: no limit.
   */
  readonly attemptMs?: number
}

/**
 * Client middleware that repeats a call when the other side could not answer it now: SERVICE_UNAVAILABLE, OVERLOADED, or its
 * DEADLINE_EXCEEDED. Only procedures declared `idempotent` are repeated, and only while the call has time left: an attempt has the
 * time that those before it have left, and if the next one could not start in time, the failure is passed on at once. Waits are
 * random between 0 and their length ("full jitter": calls that failed together do not come back together). A `retryAfterSeconds`
 * is added to the wait; if it is beyond `maxMs`, the failure is passed on instead.
 *
 * Put {@link circuitBreaker} before it, so that an open circuit is not tried again and again.
 *
 * @example
 * new NatsClient({ url, name: 'blog', middleware: [circuitBreaker({ log }), retry({ attempts: 3 })] })
 * @throws {RangeError} for an option that is not a number from 1 (`attempts`, `attemptMs`) or from 0
 */
export function retry({
  attempts = 3,
  baseMs = 50,
  maxMs = 1000,
  attemptMs = Infinity,
}: RetryOptions = {}): Middleware<ProcedureCall> {
  if (!(attempts >= 1)) throw new RangeError(`attempts must be at least 1, not ${attempts}`)
  if (!(attemptMs >= 1)) throw new RangeError(`attemptMs must be at least 1, not ${attemptMs}`)
  if (!(baseMs >= 0 && maxMs >= 0)) throw new RangeError('baseMs and maxMs must not be negative')
  return async ({ procedure, deadline }, next) => {
    for (let attempt = 1; ; attempt++) {
      const isLast = !procedure.idempotent || attempt >= attempts
      try {
        return await (isLast ? next() : attemptWithin(attemptMs, deadline, next))
      } catch (error) {
        if (isLast || !isDependencyFailure(error)) throw error
        const askedMs = ((error as ApiError).retryAfterSeconds ?? 0) * 1000
        if (askedMs > maxMs) throw error
        const waitMs = askedMs + Math.random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1))
        if (waitMs >= deadline.remainingMs()) throw error
        await pause(waitMs, deadline)
      }
    }
  }
}

/** Gives an attempt less time than the whole call has. */
async function attemptWithin(
  limitMs: number,
  whole: Deadline,
  attempt: (deadline?: Deadline) => Promise<unknown>,
): Promise<unknown> {
  if (limitMs >= whole.remainingMs()) return attempt()
  using own = new Deadline(limitMs)
  const forget = whole.onEnd(reason => own.cancel(reason))
  try {
    return await attempt(own)
  } finally {
    forget()
  }
}

/** Rejects with the deadline's reason as soon as that ends. Leaves no timer and no listener behind. */
function pause(ms: number, deadline: Deadline): Promise<void> {
  deadline.throwIfEnded()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget()
      resolve()
    }, ms)
    const forget = deadline.onEnd(reason => {
      clearTimeout(timer)
      reject(reason)
    })
  })
}
