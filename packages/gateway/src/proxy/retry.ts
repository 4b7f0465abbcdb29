import type { Failure } from './failure.ts'

/** nginx's list of methods that are not repeated, the other way round. Where a second one would change more, its service has no retries. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

export interface FailedAttempt {
  readonly failure: Failure
  readonly method: string
  /** Whether a byte of the request may have left on a connection. */
  readonly sent: boolean
  /** Whether a byte of the response has reached the client. */
  readonly answered: boolean
  readonly attemptsLeft: number
  /** Whether the whole body can be sent again. */
  readonly bodyIsWhole: boolean
  /** Whether there is a healthy target that was not tried yet. */
  readonly otherTarget: boolean
}

/**
 * Whether to send a request again: one that is not idempotent never once any of it was sent. Kong repeats an idempotent one
 * on the very target that was too slow for it; here only on another, as the first may still be at work on it.
 */
export function mayRetry(attempt: FailedAttempt): boolean {
  const { failure, method, sent, answered, attemptsLeft, bodyIsWhole, otherTarget } = attempt
  if (failure.target === undefined || answered || attemptsLeft <= 0 || !bodyIsWhole) return false
  if (sent && !isIdempotent(method)) return false
  const hopeless = failure.status === 503 || (sent && failure.target === 'timeout')
  return !hopeless || otherTarget
}
