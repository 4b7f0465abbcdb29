import { PAYLOAD_TOO_LARGE, SERVICE_UNAVAILABLE, UnusableError } from '../../errors/index.ts'

/** How JetStream says what is wrong. */
export interface ApiFailure {
  /** As in HTTP. */
  readonly code: number
  readonly err_code?: number
  readonly description?: string
}

/** Of JetStream's errors, those that mean something to us. @see https://github.com/nats-io/nats-server/blob/main/server/errors.json */
/** A message, and its header fields: more than 64 KiB. */
const TOO_LARGE: readonly unknown[] = [10054, 10097]
/** A message that cannot be deleted, even if there is none; and one that was deleted before, unless it was the first or the last one. */
const NOT_DELETED = 10057
const NO_SUCH_SEQUENCE = 10043
const NO_MESSAGE = /^(no message found|stream store EOF|deleted message)$/
const DISABLED: readonly unknown[] = [10039, 10076]

/** JetStream does not do what it was asked to. Asking again does not help. */
export class JetStreamError extends Error {
  override readonly name = 'JetStreamError'
  /** As in HTTP. */
  readonly code: number
  /** JetStream's own number for it. */
  readonly errCode: number | undefined

  constructor({ code, err_code, description = 'unknown error' }: ApiFailure, subject: string) {
    super(`JetStream refuses ${subject}: ${description}`)
    this.code = code
    this.errCode = err_code
  }
}

/** The error for a failure in an answer. */
export function errorOf(failure: ApiFailure, subject: string): Error {
  const { err_code: errCode, description = '' } = failure
  const missing = errCode === NO_SUCH_SEQUENCE || (errCode === NOT_DELETED && NO_MESSAGE.test(description))
  const code = missing ? 404 : failure.code
  const cause = new JetStreamError({ ...failure, code }, subject)
  if (DISABLED.includes(errCode)) return withoutJetStream(cause)
  if (TOO_LARGE.includes(errCode)) return new PAYLOAD_TOO_LARGE(undefined, { cause })
  // No room, no leader, or still starting.
  return code >= 500 ? new SERVICE_UNAVAILABLE(undefined, { cause }) : cause
}

export function withoutJetStream(cause: unknown): UnusableError {
  return new UnusableError('the NATS server has none, or not for this account: start it with -js', { cause })
}
