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
