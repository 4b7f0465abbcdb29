import { DEADLINE_EXCEEDED, isNetworkError, SERVICE_UNAVAILABLE, UnusableError } from '../errors/index.ts'
import { isTlsRefusal, UnusableError } from '../errors/index.ts'

/**
 * SQLSTATE (PostgreSQL manual, appendix A) of what is the server's state and not the statement's fault: connections (08), a
 * standby or a session that was ended (25006, 25P03), refused logins (28), a lock that somebody holds (55P03), full disks, memory
 * and places (53), an operator who ends it (57, but for 57014), its disk and files (58), a remote server of its own (HV00N), damage
 * and other inner errors (XX).
 */
const unavailableState = /^(08...|25006|25P03|28...|53...|55P03|57...|58...|72000|F0...|HV00N|XX...)$/

/** pg says these in words only. */
const unavailableText =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Cannot use a pool after calling end|Client was closed and is not queryable|Received unexpected )/

/** Ended on request or after `statement_timeout`, and after `transaction_timeout`. */
const timedOutState = /^(57014|25P04)$/
const statementEnded = '57014'
const readTimedOut = 'Query read timeout'

/**
 * Turns a driver's "not now" into the framework's words, with the driver's error as cause: `SERVICE_UNAVAILABLE` when the
 * server can't be used, `DEADLINE_EXCEEDED` when a statement ran too long. Everything else passes unchanged.
 */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (timedOutState.test(codeOf(error)) || error.message === readTimedOut) {
    return new DEADLINE_EXCEEDED(undefined, { cause: error })
  }
  return isUnavailable(error) || error instanceof UnusableError ? unavailable(error) : error
}

/** A connection could not be had: whatever the reason is, it is not the caller's. */
export function translateConnect(error: unknown): unknown {
  const translated = translate(error)
  return translated === error && !(error instanceof SERVICE_UNAVAILABLE) ? unavailable(error) : translated
}

/** True for what may pass by itself: the server's state, or that of the way to it. */
export function isUnavailable(error: Error): boolean {
  return unavailableState.test(codeOf(error)) || isNetworkError(error) || unavailableText.test(error.message)
}

function unavailable(cause: unknown): Error {
  return new SERVICE_UNAVAILABLE(undefined, { cause, retryAfterSeconds: 1 })
}

/**
 * True when the row breaks a unique constraint or index: this one, or any when no name is given.
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
 * True when the row refers to what does not exist, or what it refers to can't go: by this constraint, or any.
 *
 * @example
 * isForeignKeyViolation(err, 'blogs_author_fkey') // false
 */
export function isForeignKeyViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23503', constraintName)
}

/**
 * True when the row breaks this CHECK constraint, or any.
 *
 * @example
 * isCheckViolation(err, 'users_email_check') // false
 */
export function isCheckViolation(error: unknown, constraintName?: string): boolean {
  return violates(error, '23514', constraintName)
}

/**
 * True when transactions got into each other's way and the same one may succeed when repeated (40001, 40P01).
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

/** True for what the server itself says: it has answered, and the connection is as good as before. */
export function hasSqlState(error: unknown): boolean {
  return error instanceof Error && 'severity' in error
}

/** True when the server ended a statement, because it was asked to or the statement ran too long. */
export function isStatementEnded(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === statementEnded
}

function violates(error: unknown, state: string, constraintName: string | undefined): boolean {
  if (!(error instanceof Error) || codeOf(error) !== state) return false
  return constraintName === undefined || Reflect.get(error, 'constraint') === constraintName
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Where a connection was to lead. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly user?: string | undefined
  readonly database?: string | undefined
}

const NO_TLS = 'The server does not support SSL connections'

/** PgBouncer says nearly everything with 08P01, and what PostgreSQL told it in its own words. */
const POOLER_PARAMETER = /unsupported startup parameter(?: in options)?: (\S+)/
const POOLER_REFUSES =
  /^(?:no such (?:database|user)|password authentication failed|SASL authentication failed|TLS required|SSL required|login rejected|not allowed|.*database "[^"]*" does not exist|bouncer config error)/

/**
 * What a failed connection will meet again, however often it is tried; undefined when waiting may help: a server that
 * starts, is full, or whose name is not known yet.
 */
export function unusable(error: Error, target: Target): UnusableError | undefined {
  const advice = adviceFor(error, target)
  if (advice === undefined) return undefined
  const server = target.host.startsWith('/') ? target.host : `${target.host}:${target.port}`
  return new UnusableError(`PostgreSQL at ${server}: ${error.message}: ${advice}`, { cause: error })
}

function adviceFor(error: Error, { user, database }: Target): string | undefined {
  const { message } = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (message === NO_TLS) return 'give it a certificate, or say sslmode=disable when the way to it is safe'
  if (isTlsRefusal(error)) return 'see sslmode, sslrootcert, sslcert and sslkey in its URL'
  // pg's own words, before the server has judged: mostly no password at all
  if (message.startsWith('SASL: ')) return 'see the password in its URL'
  if (!('severity' in error)) return undefined
  const parameter = POOLER_PARAMETER.exec(message)?.[1]
  if (parameter === 'statement_timeout') {
    return "this is a pooler like PgBouncer: set pooler to 'transaction' (DATABASE_POOLER=transaction)"
  }
  if (parameter !== undefined) return 'leave it out of its URL, or let the pooler ignore it'
  if (code === '3D000' || /database "[^"]*" does not exist/.test(message)) {
    return `make the database ${quoted(database)}, or correct its name in the URL`
  }
  if (code.startsWith('28')) return `see user ${quoted(user)} and password in its URL, and the server's pg_hba.conf`
  if (POOLER_REFUSES.test(message)) return 'see its URL, and the configuration of the pooler'
  if (isUnavailable(error)) return undefined
  return `user ${quoted(user)} and database ${quoted(database)} cannot be used like this`
}

const quoted = (name: string | undefined) => JSON.stringify(name ?? '')
