/**
 * A failure with a stable name and an HTTP status; the only kind of error whose text reaches a caller. Anything else that is thrown is
 * logged and answered with a 500 without details.
 */
export abstract class ApiError<Code extends string = string, Data = unknown> extends Error {
  /** Stable, machine-readable name, e.g. `BLOG_NOT_FOUND`. */
  abstract readonly code: Code
  /** HTTP status, 400–599. */
  abstract readonly status: number
  /** Payload as declared by the error's data schema; `undefined` where none is declared. */
  readonly data: Data
  /** Seconds to wait before a retry; becomes the `retry-after` header. */
  readonly retryAfterSeconds: number | undefined

  constructor(message: string, data: Data, options: ApiErrorOptions = {}) {
    super(options.message ?? message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.data = data
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

export interface ApiErrorOptions {
  /** Replaces the table's message for this one failure. Shown to the caller: no internals. */
  readonly message?: string
  /** The underlying error. Logged, never shown. */
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
}
