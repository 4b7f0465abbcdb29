import { ApiError } from './api-error.ts'

/**
 * Describes a failure to an operator in one line: the message of each error and what its cause adds. For errors meant for callers, it has
 * only the cause: "the service cannot answer now" tells an operator nothing.
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
 * A dependency is running but refuses us: wrong credentials, no such database, no permission. Waiting does not help, so the start fails at
 * once. The message is one line that says what to do.
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

/** The {@link UnusableError} among a failure and its causes. */
export function unusableIn(error: unknown): UnusableError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof UnusableError) return each
  return undefined
}

/** Node's codes for a program that cannot be reached or stops responding (errno names of libuv). */
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
  'ENOENT', // a socket file without a server
])

/** True for an error of a socket or a name lookup. Drivers pass some of these on unchanged. */
export function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && CODES.has(error.code)
}
