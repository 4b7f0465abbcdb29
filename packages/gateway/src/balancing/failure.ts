/** Why an exchange with an upstream failed, as the client is told. The messages are Kong's. */
export interface Failure {
  readonly status: number
  readonly message: string
  /** What it says about the target; undefined if the target is not to blame. */
  readonly target?: 'tcpFailure' | 'timeout'
  /** Whether Kong itself gives the answer, not the nginx in it. */
  readonly byKong?: true
}

export const UPSTREAM_TIMED_OUT: Failure = {
  status: 504,
  message: 'The upstream server is timing out',
  target: 'timeout',
}
/** Found by the checks, long before the request would time out. */
export const UPSTREAM_FROZEN: Failure = {
  status: 502,
  message: 'An invalid response was received from the upstream server',
  target: 'timeout',
}
export const CLIENT_TIMED_OUT: Failure = { status: 408, message: 'Request timeout' }
export const NO_TARGET: Failure = { status: 503, message: 'failure to get a peer from the ring-balancer', byKong: true }
const BODY_TOO_LONG: Failure = { status: 413, message: 'Request size limit exceeded', byKong: true }
const INVALID_RESPONSE: Failure = {
  status: 502,
  message: 'An invalid response was received from the upstream server',
  target: 'tcpFailure',
}
/** Not even HTTP, or too much of it. As in nginx, the request is not sent again, and the target stays healthy. */
export const BROKEN_RESPONSE: Failure = { status: 502, message: INVALID_RESPONSE.message }
const NAME_UNRESOLVED: Failure = { status: 503, message: 'name resolution failed', target: 'tcpFailure', byKong: true }
const UNSENDABLE: Failure = { status: 400, message: 'Bad request' }

const DNS_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'EDNS',
])
const TIMEOUT_CODES: ReadonlySet<string> = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'])

/** Thrown when the client's body is longer than a plugin allows. */
export class BodyTooLongError extends Error {
  override readonly name = 'BodyTooLongError'
}

export function failureOf(error: Error): Failure {
  if (error instanceof BodyTooLongError) return BODY_TOO_LONG
  const code = codeOf(error)
  if (DNS_CODES.has(code)) return NAME_UNRESOLVED
  if (TIMEOUT_CODES.has(code)) return UPSTREAM_TIMED_OUT
  // undici refused to write the request, because of a method or header value that HTTP does not allow.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return UNSENDABLE
  const isBroken = error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW'
  return isBroken ? BROKEN_RESPONSE : INVALID_RESPONSE
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** All methods except those that nginx does not repeat. A service whose PUT or DELETE must not be repeated has `retries: 0`. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

export interface FailedAttempt {
  readonly failure: Failure
  readonly method: string
  /** Whether a byte of the request may have been sent. */
  readonly sent: boolean
  /** Whether a byte of the response has reached the client. */
  readonly answered: boolean
  readonly attemptsLeft: number
  /** Whether the whole body can be sent again. */
  readonly bodyIsWhole: boolean
  /** Whether there is a healthy target that has not been tried yet. */
  readonly otherTarget: boolean
}

/**
 * Whether to send a request again. A request that is not idempotent is never repeated once any of it was sent. After a time-out, Kong
 * may repeat an idempotent request on the same target; here it goes to another one, as the first may still be working on it.
 */
export function mayRetry(attempt: FailedAttempt): boolean {
  const { failure, method, sent, answered, attemptsLeft, bodyIsWhole, otherTarget } = attempt
  if (failure.target === undefined || answered || attemptsLeft <= 0 || !bodyIsWhole) return false
  if (sent && !isIdempotent(method)) return false
  const hopeless = failure.status === 503 || (sent && failure.target === 'timeout')
  return !hopeless || otherTarget
}
