/** Causes deeper than this are cut: no real chain is, a cycle would be. */
const maxCauses = 8

/**
 * Members of well-known errors that help and hold no user data. An allow-list: PostgreSQL's `detail`, for one, quotes
 * the offending row.
 */
const kept = ['code', 'status', 'reason', 'constraint', 'table', 'syscall', 'address', 'port', 'signal', 'exitCode']

/** An error as it stands in the log: without secrets, with its causes. */
interface SerializedError {
  readonly type: string
  readonly message: string
  readonly stack?: string
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
  readonly [member: string]: unknown
}

/** An error as fields of a log line, with its causes; what is no error passes as it is. */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error
  const serialized: Record<string, unknown> = { type: error.name, message: error.message }
  for (const member of kept) {
    const value: unknown = Reflect.get(error, member)
    if (typeof value === 'string' || typeof value === 'number') serialized[member] = value
  }
  if (error.stack !== undefined) serialized.stack = error.stack
  if (depth < maxCauses) {
    if (error.cause !== undefined) serialized.cause = serializeError(error.cause, depth + 1)
    if (error instanceof AggregateError) serialized.errors = error.errors.map(one => serializeError(one, depth + 1))
  }
  return serialized as SerializedError
}
