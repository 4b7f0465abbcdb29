import type { Msg } from '@nats-io/nats-core'
import type { Log } from '../../call/index.ts'
import { type ApiError, INTERNAL } from '../../errors/index.ts'
import { encodeFailure } from '../wire/failure.ts'

/** Sends an answer, or a short failure where it does not fit (a server takes 1 MiB by default). Returns that failure. */
export function respond(msg: Msg, body: string, log: Log): ApiError | undefined {
  try {
    msg.respond(body)
    return undefined
  } catch (err) {
    log.error({ err, subject: msg.subject, bytes: Buffer.byteLength(body) }, 'an answer could not be sent')
    return respondFailure(msg, new INTERNAL(undefined, { cause: err }), log)
  }
}

/** Sends a failure; a short one where its data does not fit or cannot be written. Returns the one that was told. */
export function respondFailure(msg: Msg, error: ApiError, log: Log): ApiError {
  const short = new INTERNAL(undefined, { cause: error })
  for (const failure of [error, short]) {
    try {
      const { body, headers } = encodeFailure(failure)
      msg.respond(body, { headers })
      return failure
    } catch (err) {
      log.error({ err, subject: msg.subject }, 'a failure could not be sent')
    }
  }
  return short
}
