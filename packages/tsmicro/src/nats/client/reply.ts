import type { Msg } from '@nats-io/nats-core'
import type { BoundProcedure, Schema } from '../../contract/index.ts'
import {
  type AnyErrorClass,
  type ApiError,
  createErrorClass,
  frameworkErrors,
  MALFORMED_REPLY,
  type ValidationDetail,
} from '../../errors/index.ts'
import { type Check, compileSchema, tellProblems } from '../../schema/index.ts'
import { decodeEnvelope, type Envelope, parseErrorText } from '../wire/envelope.ts'
import type { Failure } from '../wire/failure.ts'
import { ERROR_CODE, ERROR_NAME, ERROR_TEXT, RETRY_AFTER } from '../wire/headers.ts'
import { type Outcome, reasonOf } from './outcome.ts'

const FRAMEWORK: ReadonlyMap<string, AnyErrorClass> = new Map(Object.entries(frameworkErrors))
const REMOTE = new Map<number, AnyErrorClass>([
  [503, frameworkErrors.SERVICE_UNAVAILABLE],
  [504, frameworkErrors.DEADLINE_EXCEEDED],
])

/** The errors that a procedure declares, by name, with the compiled check of their data. */
export type ReplyErrors = ReadonlyMap<string, { readonly type: AnyErrorClass; readonly check: Check | undefined }>

export function replyErrorsOf(procedure: BoundProcedure): ReplyErrors {
  return new Map(
    Object.values(procedure.errors ?? {}).map(type => {
      const check = type.dataSchema === undefined ? undefined : compileSchema(type.dataSchema as Schema, 'ignore')
      return [type.code, { type, check }]
    }),
  )
}

/** A reply of either form. */
export interface Reply {
  readonly data?: unknown
  readonly failure?: Failure | undefined
}

/** @throws {MALFORMED_REPLY} when it cannot be read; why there is none, where there is none */
export function replyOf(outcome: Outcome): Reply {
  if (outcome.kind === 'item') return outcome.item
  if (outcome.kind === 'message') return replyOfMessage(outcome.msg)
  throw reasonOf(outcome)
}

function replyOfMessage(msg: Msg): Reply {
  const { headers } = msg
  const { data, error, errorData } = decode(msg)
  const code = headers?.get(ERROR_CODE)
  // A body error alone counts, too: that is how Go services answer.
  if (error === undefined && !code) return { data }
  const { status, message } = parseErrorText(typeof error === 'string' ? error : '')
  const retryAfter = Number(headers?.get(RETRY_AFTER) || Number.NaN)
  return {
    failure: {
      error: `${Number(code) || status}:${message || headers?.get(ERROR_TEXT) || ''}`,
      errorData,
      name: headers?.get(ERROR_NAME) ?? '',
      ...(retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}),
    },
  }
}

/** The error that a reply tells of; every part of it is somebody else's word. */
export async function errorOf(failure: Failure, errors: ReplyErrors | undefined): Promise<ApiError> {
  const { errorData } = failure
  const told = parseErrorText(String(failure.error))
  const { status } = told
  const message = told.message || 'The other service failed'
  const name = String(failure.name)
  const retryAfter = Number(failure.retryAfterSeconds ?? Number.NaN)
  const retry = retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}
  const declared = errors?.get(name)
  if (declared) {
    const checked = await declared.check?.(errorData)
    if (checked?.problems) {
      const text = `the data of ${name} does not match its schema: ${tellProblems(checked.problems)}`
      return new MALFORMED_REPLY(undefined, { cause: new Error(text) })
    }
    return new declared.type(checked?.value, { message, ...retry })
  }
  // What another service says beside its contract is for our log. Were it the message, a handler that lets a 503 pass would
  // show it to a client.
  const cause = new Error(`${status}: ${message}`)
  const type = FRAMEWORK.get(name) ?? remoteFailure(status)
  const details = type === frameworkErrors.VALIDATION_FAILED ? detailsOf(errorData) : undefined
  return new type(details, { cause, ...retry, ...(type.code === 'REMOTE_FAILURE' ? { message } : {}) })
}

function detailsOf(data: unknown): readonly ValidationDetail[] {
  if (!Array.isArray(data)) return []
  return data.map(detail => ({ path: String(detail?.path), message: String(detail?.message) }))
}

function decode(msg: Msg): Envelope {
  try {
    return decodeEnvelope(msg.string())
  } catch (cause) {
    throw new MALFORMED_REPLY(undefined, { cause })
  }
}

/** A failure of a service that does not tell an error's name, e.g. one written in Go; the status is its own. */
function remoteFailure(given: number): AnyErrorClass {
  const status = Number.isInteger(given) && given >= 400 && given <= 599 ? given : 500
  const type = REMOTE.get(status) ?? createErrorClass('REMOTE_FAILURE', { status, message: 'The other service failed' })
  REMOTE.set(status, type)
  return type
}
