import { headers, type MsgHdrs } from '@nats-io/nats-core'
import { type ApiError, VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { ERROR_CODE, ERROR_NAME, ERROR_TEXT, RETRY_AFTER } from './headers.ts'

/** A failure as body and headers: gomicro reads the body, any client of the services protocol the headers. */
export function encodeFailure(error: ApiError): { readonly body: string; readonly headers: MsgHdrs } {
  const { status, code, data, retryAfterSeconds } = error
  const made = headers()
  made.set(ERROR_CODE, String(status))
  made.set(ERROR_TEXT, headerText(error.message))
  made.set(ERROR_NAME, code)
  if (retryAfterSeconds !== undefined) made.set(RETRY_AFTER, String(retryAfterSeconds))
  const detail = isValidation(error) ? `: ${describe(error.data)}` : ''
  return { body: JSON.stringify({ error: `${status}:${error.message}${detail}`, errorData: data }), headers: made }
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
