import type { Msg } from '@nats-io/nats-core'
import type { BoundProcedure } from '../contract/index.ts'
import { type AnyErrorClass, type ApiError, createErrorClass, frameworkErrors } from '../errors/index.ts'
import { decodeEnvelope, type Envelope, parseErrorText } from './envelope.ts'
import { ERROR_CODE, ERROR_NAME, ERROR_TEXT } from './headers.ts'

const FRAMEWORK: Readonly<Record<string, AnyErrorClass>> = frameworkErrors
const BY_STATUS: Readonly<Record<number, AnyErrorClass>> = {
  503: frameworkErrors.SERVICE_UNAVAILABLE,
  504: frameworkErrors.DEADLINE_EXCEEDED,
}

/** The data of a reply. @throws {ApiError} the failure it tells of; {MALFORMED_REPLY} when it cannot be read */
export function readReply(msg: Msg, errors: BoundProcedure['errors']): unknown {
  const envelope = decode(msg)
  // A body error alone counts, too: that is how Go services answer.
  if (envelope.error !== undefined || msg.headers?.get(ERROR_CODE)) throw failureOfReply(msg, envelope, errors)
  return envelope.data
}

function failureOfReply(msg: Msg, envelope: Envelope, errors: BoundProcedure['errors']): ApiError {
  const text = typeof envelope.error === 'string' ? envelope.error : ''
  const fromBody = parseErrorText(text)
  const status = Number(msg.headers?.get(ERROR_CODE)) || fromBody.status
  const message = fromBody.message || msg.headers?.get(ERROR_TEXT) || 'The other service failed'
  const name = msg.headers?.get(ERROR_NAME) ?? ''
  const Known = errors?.[name] ?? FRAMEWORK[name] ?? BY_STATUS[status] ?? REMOTE_FAILURE(status)
  return new Known(envelope.errorData, { message })
}

function decode(msg: Msg): Envelope {
  try {
    return decodeEnvelope(msg.string())
  } catch (cause) {
    throw new MALFORMED_REPLY(undefined, { cause })
  }
}

/** Another service answered something that is not a reply, or not what its procedure declares. */
export const MALFORMED_REPLY = createErrorClass<'MALFORMED_REPLY', undefined>('MALFORMED_REPLY', {
  status: 500,
  message: 'Another service answered something unreadable',
})

/** A failure of a service that does not tell an error's name, e.g. one written in Go; the status is its own. */
function REMOTE_FAILURE(status: number): AnyErrorClass {
  const known = status >= 400 && status <= 599 ? status : 500
  return createErrorClass('REMOTE_FAILURE', { status: known, message: 'The other service failed' })
}
