import { ApiError } from './api-error.ts'

/**
 * What an operator should read of a failure, in one line: each error's message and what its cause adds to it. Of the errors that
 * callers see, the cause alone: "the service cannot answer now" tells an operator nothing.
 */
export function rootMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(rootMessage).join(', ')
  if (!(error instanceof Error)) return String(error)
  const own = error.message || error.name
  if (!(error.cause instanceof Error)) return own
  const cause = rootMessage(error.cause)
  if (error instanceof ApiError || error.message === '' || cause.includes(own)) return cause
  return own.includes(cause) ? own : `${own}: ${cause}`
}

/**
 * Something we depend on is there and refuses us: wrong credentials, no such database, no permission. Waiting does not mend it,
 * so a start that meets one fails at once. The message is one line that says what to do.
 *
 * @example
 * throw new UnusableError('there is no bucket named covers: make it, or name another one in BUCKET')
 */
export class UnusableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UnusableError'
  }
}

/** The {@link UnusableError} that a failure is or was caused by. */
export function unusableIn(error: unknown): UnusableError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof UnusableError) return each
  return undefined
}

/** What Node says when another program cannot be reached, or stops in the middle (errno names of libuv). */
const CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // a socket file whose server is gone
])

/** Node's codes for certificates (X509_V_ERR_… of OpenSSL), and for keys and handshakes that do not fit. */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|CRL_)/

/** True when one side of a connection does not take what the other shows: waiting changes nothing about that. */
export function isTlsRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && TLS_CODE.test(error.code)
}

/** True for an error of a socket or a name look-up. Drivers let some of these through as they are. */
export function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && CODES.has(error.code)
}
