import { isTlsRefusal, UnusableError } from '../errors/index.ts'
import { isUnavailable } from './errors.ts'

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
