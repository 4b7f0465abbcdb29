import { headers, type MsgHdrs } from '@nats-io/nats-core'
import { type ApiError, VALIDATION_FAILED, type ValidationDetail } from '../../errors/index.ts'
import { ERROR_CODE, ERROR_NAME, ERROR_TEXT, RETRY_AFTER } from './headers.ts'

/** A failure as it travels: in a batch all of it, in a single reply `error` and `errorData` as the body, the rest as headers. */
export interface Failure {
  /** `<status>:<message>`, as gomicro writes it. */
  readonly error: string
  /** A declared error's payload; other implementations ignore it. */
  readonly errorData?: unknown
  /** From the error table, so that the same class can be made again at the other end. */
  readonly name?: string
  readonly retryAfterSeconds?: number
}

export function failureOf(error: ApiError): Failure {
  const { status, message, data, code, retryAfterSeconds } = error
  const detail = isValidation(error) ? `: ${describe(error.data)}` : ''
  return {
    error: `${status}:${message}${detail}`,
    ...(data === undefined ? {} : { errorData: data }),
    name: code,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}

/** A failure as a single reply: gomicro reads the body, any client of the services protocol the headers. */
export function encodeFailure(error: ApiError): { readonly body: string; readonly headers: MsgHdrs } {
  const { name, retryAfterSeconds, ...body } = failureOf(error)
  const made = headers()
  made.set(ERROR_CODE, String(error.status))
  made.set(ERROR_TEXT, headerText(error.message))
  made.set(ERROR_NAME, name ?? '')
  if (retryAfterSeconds !== undefined) made.set(RETRY_AFTER, String(retryAfterSeconds))
  return { body: JSON.stringify(body), headers: made }
}

function isValidation(error: ApiError): error is ApiError<string, readonly ValidationDetail[]> {
  return error instanceof VALIDATION_FAILED
}

function describe(details: readonly ValidationDetail[]): string {
  return details.map(({ path, message }) => `${path} ${message}`).join('; ')
}

/** Headers are one line of ASCII. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500)
}
