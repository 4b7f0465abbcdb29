import {
  DEADLINE_EXCEEDED,
  isNetworkError,
  isTlsRefusal,
  SERVICE_UNAVAILABLE,
  tlsAdvice,
  UnusableError,
} from '../errors/index.ts'

/**
 * SQLSTATE (PostgreSQL manual, appendix A) of errors that are caused by the server's state, not by the statement: connections
 * (08), a standby or an ended session (25006, 25P03), refused logins (28), a lock held by somebody else (55P03), full disks,
 * memory or connection slots (53), an operator's intervention (57, except 57014), disk and files (58), a foreign server
 * (HV00N), corruption and other internal errors (XX).
 */
const unavailableState = /^(08...|25006|25P03|28...|53...|55P03|57...|58...|72000|F0...|HV00N|XX...)$/

/** Errors of pg that have no code. */
const unavailableText =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Cannot use a pool after calling end|Client was closed and is not queryable|Received unexpected )/

/** Cancelled or ended by `statement_timeout`, and ended by `transaction_timeout`. */
const timedOutState = /^(57014|25P04)$/
const statementEnded = '57014'
const readTimedOut = 'Query read timeout'

/**
 * Translates the driver's temporary failures into the framework's errors, with the driver's error as cause:
 * `SERVICE_UNAVAILABLE` if the server can't be used, `DEADLINE_EXCEEDED` if a statement took too long. Everything else is
 * returned unchanged.
 */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (timedOutState.test(codeOf(error)) || error.message === readTimedOut) {
    return new DEADLINE_EXCEEDED(undefined, { cause: error })
  }
  return isUnavailable(error) || error instanceof UnusableError ? unavailable(error) : error
}

/** Translates the failure to get a connection, which is never the caller's fault. */
export function translateConnect(error: unknown): unknown {
  const translated = translate(error)
  return translated === error && !(error instanceof SERVICE_UNAVAILABLE) ? unavailable(error) : translated
}

/** True for a problem of the server or the network that may go away by itself. */
function isUnavailable(error: Error): boolean {
  return unavailableState.test(codeOf(error)) || isNetworkError(error) || unavailableText.test(error.message)
}

function unavailable(cause: unknown): Error {
  return new SERVICE_UNAVAILABLE(undefined, { cause, retryAfterSeconds: 1 })
}

/**
 * True if the row violates a unique constraint or index: this one, or any if no name is given.
 *
 * @example
 * const user = { id: randomUUID(), email: 'grace@example.com' }
 * await postgres.db.insertInto('users').values(user).execute()
 * try {
 *   await postgres.db.insertInto('users').values({ ...user, id: randomUUID() }).execute()
 * } catch (error) {
 *   isUniqueViolation(error, 'users_email_key') // true
 * }
 */
export function isUniqueViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23505', constraintName)
}

/**
 * True if a foreign key does not exist, or a row that is still referenced would be deleted: by this constraint, or any.
 *
 * @example
 * isForeignKeyViolation(err, 'blogs_author_fkey') // false
 */
export function isForeignKeyViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23503', constraintName)
}

/**
 * True if the row violates this CHECK constraint, or any.
 *
 * @example
 * isCheckViolation(err, 'users_email_check') // false
 */
export function isCheckViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23514', constraintName)
}

/**
 * True if concurrent transactions conflicted, so that the same one may succeed when it is repeated (40001, 40P01).
 *
 * @example
 * const rename = () =>
 *   postgres.transaction(users => users.updateTable('users').set({ email }).where('id', '=', userId).execute())
 * await rename().catch((error: unknown) => {
 *   if (isSerializationFailure(error)) return rename()
 *   throw error
 * })
 */
export function isSerializationFailure(error: unknown): boolean {
  return error instanceof Error && ['40001', '40P01'].includes(codeOf(error))
}

/** True for an error that the server itself has sent: the connection can still be used. */
export function hasSqlState(error: unknown): boolean {
  return error instanceof Error && 'severity' in error
}

/** True if the server ended a statement, on request or because it took too long. */
export function isStatementEnded(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === statementEnded
}

/** True if a lock was not free within `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof SERVICE_UNAVAILABLE && error.cause instanceof Error && codeOf(error.cause) === '55P03'
}

export function isMissingTable(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === '42P01'
}

function violates(error: unknown, state: string, constraintName: string | undefined): boolean {
  if (!(error instanceof Error) || codeOf(error) !== state) return false
  return constraintName === undefined || Reflect.get(error, 'constraint') === constraintName
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** The target of a connection. */
interface Target {
  readonly host: string
  readonly port: number
  readonly user?: string | undefined
  readonly database?: string | undefined
}

const NO_TLS = 'The server does not support SSL connections'

/** PgBouncer uses 08P01 for nearly everything, and passes PostgreSQL's errors on as text. */
const POOLER_PARAMETER = /unsupported startup parameter(?: in options)?: (\S+)/
const POOLER_REFUSES =
  /^(?:no such (?:database|user)|password authentication failed|SASL authentication failed|TLS required|SSL required|login rejected|not allowed|.*database "[^"]*" does not exist|bouncer config error)/

/**
 * The error of a connection that will fail again however often it is tried; undefined if waiting may help: for a server that is
 * starting or full, or whose name is not known yet.
 */
export function unusable(error: Error, target: Target): UnusableError | undefined {
  const advice = adviceFor(error, target)
  if (advice === undefined) return undefined
  const server = target.host.startsWith('/') ? target.host : `${target.host}:${target.port}`
  return new UnusableError(`PostgreSQL at ${server}: ${error.message}: ${advice}`, { cause: error })
}

function adviceFor(error: Error, { user, database }: Target): string | undefined {
  const { message } = error
  const code = codeOf(error)
  if (message === NO_TLS) return 'give it a certificate, or use sslmode=disable if the network is safe'
  if (isTlsRefusal(error)) return tlsAdvice(error, { authority: 'sslrootcert', certificate: 'sslcert', key: 'sslkey' })
  // pg's own error, before the server has answered: usually there is no password.
  if (message.startsWith('SASL: ')) return 'check the password in its URL'
  if (!('severity' in error)) return undefined
  const parameter = POOLER_PARAMETER.exec(message)?.[1]
  if (parameter === 'statement_timeout') {
    return "this is a pooler like PgBouncer: set pooler to 'transaction' (DATABASE_POOLER=transaction)"
  }
  if (parameter !== undefined) return 'remove it from the URL, or let the pooler ignore it'
  if (code === '3D000' || /database "[^"]*" does not exist/.test(message)) {
    return `create the database ${quoted(database)}, or correct its name in the URL`
  }
  if (code.startsWith('28')) return `check user ${quoted(user)} and password in its URL, and the server's pg_hba.conf`
  if (POOLER_REFUSES.test(message)) return 'check its URL, and the configuration of the pooler'
  if (isUnavailable(error)) return undefined
  return `user ${quoted(user)} and database ${quoted(database)} cannot be used like this`
}

const quoted = (name: string | undefined) => JSON.stringify(name ?? '')
