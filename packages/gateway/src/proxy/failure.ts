/** Why an exchange with an upstream failed, in the terms of the answer. Messages are Kong's own. */
export interface Failure {
  readonly status: number
  readonly message: string
  /** What it says of the target; undefined when the target is not to blame. */
  readonly target?: 'tcpFailure' | 'timeout'
}

export const UPSTREAM_TIMED_OUT: Failure = {
  status: 504,
  message: 'The upstream server is timing out',
  target: 'timeout',
}
/** Told by the checks, long before the time of the request is over. */
export const UPSTREAM_FROZEN: Failure = {
  status: 502,
  message: 'An invalid response was received from the upstream server',
  target: 'timeout',
}
export const CLIENT_TIMED_OUT: Failure = { status: 408, message: 'Request timeout' }
export const NO_TARGET: Failure = { status: 503, message: 'failure to get a peer from the ring-balancer' }
const BODY_TOO_LONG: Failure = { status: 413, message: 'Request size limit exceeded' }
export const INVALID_RESPONSE: Failure = {
  status: 502,
  message: 'An invalid response was received from the upstream server',
  target: 'tcpFailure',
}
const NAME_UNRESOLVED: Failure = { status: 503, message: 'name resolution failed', target: 'tcpFailure' }
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

/** The client's body is longer than a plugin allows. */
export class BodyTooLongError extends Error {
  override readonly name = 'BodyTooLongError'
}

export function failureOf(error: Error): Failure {
  if (error instanceof BodyTooLongError) return BODY_TOO_LONG
  const code = codeOf(error)
  if (DNS_CODES.has(code)) return NAME_UNRESOLVED
  if (TIMEOUT_CODES.has(code)) return UPSTREAM_TIMED_OUT
  // The client library refused to write the request: a method or header value that HTTP does not allow.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return UNSENDABLE
  return INVALID_RESPONSE
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}
