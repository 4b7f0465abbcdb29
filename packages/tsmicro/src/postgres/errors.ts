import { DEADLINE_EXCEEDED, isNetworkError, SERVICE_UNAVAILABLE } from '../errors/index.ts'

/** SQLSTATE (PostgreSQL manual, appendix A): the server goes, is starting, is full, or has been made read-only. */
const unavailableState = /^(08...|53...|57P01|57P02|57P03|57P05|25006|25P03)$/

/** pg says these in words only. */
const unavailableText =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Cannot use a pool after calling end|Client was closed and is not queryable)/

const statementTimedOut = '57014'
const readTimedOut = 'Query read timeout'

/**
 * Turns a driver's "not now" into the framework's words, with the driver's error as cause: `SERVICE_UNAVAILABLE` when the
 * server can't be used, `DEADLINE_EXCEEDED` when a statement ran too long. Everything else passes unchanged.
 */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = codeOf(error)
  if (code === statementTimedOut || error.message === readTimedOut) {
    return new DEADLINE_EXCEEDED(undefined, { cause: error })
  }
  if (unavailableState.test(code) || isNetworkError(error) || unavailableText.test(error.message)) {
    return new SERVICE_UNAVAILABLE(undefined, { cause: error, retryAfterSeconds: 1 })
  }
  return error
}

/** True when the row breaks a unique constraint or index: this one, or any when no name is given. */
export function isUniqueViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23505', constraintName)
}

/** True when the row refers to what does not exist, or what it refers to can't go: by this constraint, or any. */
export function isForeignKeyViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23503', constraintName)
}

/** True when the row breaks this CHECK constraint, or any. */
export function isCheckViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23514', constraintName)
}

/** True when transactions got into each other's way and the same one may succeed when repeated (40001, 40P01). */
export function isSerializationFailure(error: unknown): boolean {
  return error instanceof Error && ['40001', '40P01'].includes(codeOf(error))
}

/** True for what the server itself says: it has answered, and the connection is as good as before. */
export function hasSqlState(error: unknown): boolean {
  return error instanceof Error && 'severity' in error
}

/** True when the server ended a statement, because it was asked to or the statement ran too long. */
export function isStatementEnded(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === statementTimedOut
}

function violates(error: unknown, state: string, constraintName: string | undefined): boolean {
  if (!(error instanceof Error) || codeOf(error) !== state) return false
  return constraintName === undefined || Reflect.get(error, 'constraint') === constraintName
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}
