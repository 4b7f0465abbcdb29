import { InvalidArgumentError } from '@nats-io/nats-core'
import type { BoundProcedure, Schema } from '../../contract/index.ts'
import {
  type AnyErrorClass,
  type ApiError,
  createErrorClass,
  DEADLINE_EXCEEDED,
  frameworkErrors,
  MALFORMED_REPLY,
  PAYLOAD_TOO_LARGE,
  SERVICE_UNAVAILABLE,
  VALIDATION_FAILED,
  type ValidationDetail,
} from '../../errors/index.ts'
import { type Check, compiled, formatProblems } from '../../schema/index.ts'
import { decodeReply, type Failure, parseErrorText, type Reply } from '../wire.ts'
import type { Outcome } from './pending-call.ts'

const FRAMEWORK: ReadonlyMap<string, AnyErrorClass> = new Map(Object.entries(frameworkErrors))
const REMOTE = new Map<number, AnyErrorClass>([
  [503, SERVICE_UNAVAILABLE],
  [504, DEADLINE_EXCEEDED],
])

/** The errors that a procedure declares, by name, with the compiled check of their data. */
export type ReplyErrors = ReadonlyMap<string, { readonly type: AnyErrorClass; readonly check: Check | undefined }>

export function replyErrorsOf(procedure: BoundProcedure): ReplyErrors {
  return new Map(
    Object.values(procedure.errors ?? {}).map(type => {
      const check = type.dataSchema === undefined ? undefined : compiled.incoming(type.dataSchema as Schema, 'ignore')
      return [type.code, { type, check }]
    }),
  )
}

/** @throws {MALFORMED_REPLY} when the reply cannot be read; the outcome's error if there is no reply */
export function replyOf(outcome: Outcome): Reply {
  if ('item' in outcome) return outcome.item
  if ('error' in outcome) throw outcome.error()
  try {
    return decodeReply(outcome.msg)
  } catch (cause) {
    throw new MALFORMED_REPLY(undefined, { cause })
  }
}

/** The error for a message that the client could not send. */
export function unsentError(cause: unknown): ApiError {
  const tooLarge = cause instanceof InvalidArgumentError && cause.message.includes('max_payload')
  return tooLarge ? new PAYLOAD_TOO_LARGE(undefined, { cause }) : new SERVICE_UNAVAILABLE(undefined, { cause })
}

/** The error for a failure in a reply, of which no part can be trusted. */
export async function errorOf(failure: Failure, errors: ReplyErrors | undefined): Promise<ApiError> {
  const { errorData } = failure
  const sent = parseErrorText(String(failure.error))
  const message = sent.message || 'The other service failed'
  const name = String(failure.name)
  const retryAfter = Number(failure.retryAfterSeconds ?? Number.NaN)
  const retry = retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}
  const declared = errors?.get(name)
  if (declared) {
    const checked = await declared.check?.(errorData)
    if (checked?.problems) {
      const text = `the data of ${name} does not match its schema: ${formatProblems(checked.problems)}`
      return new MALFORMED_REPLY(undefined, { cause: new Error(text) })
    }
    return new declared.type(checked?.value, { message, ...retry })
  }
  // The text of an undeclared error is for our log. As the message, it would reach the client of a handler that passes a 503 on.
  const cause = new Error(`${sent.status}: ${message}`)
  const type = FRAMEWORK.get(name) ?? remoteFailure(sent.status)
  const details = type === VALIDATION_FAILED ? detailsOf(errorData) : undefined
  return new type(details, { cause, ...retry, ...(type.code === 'REMOTE_FAILURE' ? { message } : {}) })
}

function detailsOf(data: unknown): readonly ValidationDetail[] {
  if (!Array.isArray(data)) return []
  return data.map(detail => ({ path: String(detail?.path), message: String(detail?.message) }))
}

/** For a failure with only a status, from a service that sends no error names, e.g. one written in Go. */
function remoteFailure(given: number): AnyErrorClass {
  const status = Number.isInteger(given) && given >= 400 && given <= 599 ? given : 500
  const type = REMOTE.get(status) ?? createErrorClass('REMOTE_FAILURE', { status, message: 'The other service failed' })
  REMOTE.set(status, type)
  return type
}
