import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import type { HeaderFields } from '../call/index.ts'
import { type ApiError, MALFORMED_REQUEST, VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'

/*
 * The messages between services, see docs/messaging.md.
 *
 * A call that travels alone: the body is gomicro's envelope, everything else is in headers.
 *
 * Calls of one subject that share a message go to `<subject>.batch`, with the same queue group. Only instances that understand
 * batches listen there, so a fleet may be mixed. Request: `[[token, budgetMs, headers | 0, data], …]`, with the headers of a
 * single request, names in lower case. Reply: any number of messages `[[token, data] | [token, null, failure], …]` on the batch's
 * reply subject; each call is answered once, in any order. A reply that is not an array is the failure of the whole batch, in the
 * form of a single reply.
 */

// These two belong to the NATS services protocol (ADR-32).
const ERROR_CODE = 'Nats-Service-Error-Code'
const ERROR_TEXT = 'Nats-Service-Error'
/** Name from the error table, from which the caller recreates the same class. */
const ERROR_NAME = 'Tsmicro-Error'
/** Seconds after which a retry makes sense, as in HTTP. */
const RETRY_AFTER = 'Tsmicro-Retry-After'

/** A body as gomicro writes it: `{"data":…}` or `{"error":"<status>:<message>"}`, and the data of a declared error. */
export interface Envelope {
  readonly data?: unknown
  readonly error?: string
  /** Other implementations ignore it. */
  readonly errorData?: unknown
}

/** A failure in a message: whole in a batch; in a single reply, `error` and `errorData` form the body and the rest the headers. */
export interface Failure {
  /** `<status>:<message>` */
  readonly error: string
  readonly errorData?: unknown
  /** From the error table. */
  readonly name?: string
  readonly retryAfterSeconds?: number
}

/** A reply of either form. */
export interface Reply {
  readonly data?: unknown
  readonly failure?: Failure | undefined
}

/** One call of a batch as it arrived. */
export interface BatchedCall {
  readonly token: string
  readonly budgetMs: number
  /** Unchecked. */
  readonly headers: unknown
  readonly data: unknown
}

/** One answer of a batch as it arrived. */
export interface BatchedReply extends Reply {
  readonly token: string
}

const EMPTY: Envelope = {}
const TOKEN = /^[0-9a-z]{1,16}$/

/** The body of a request or of a reply that travels alone. @param data JSON text; '' for none */
export function encodeBody(data: string): string {
  return data === '' ? '{}' : `{"data":${data}}`
}

/** @throws {MALFORMED_REQUEST} when the text is not a JSON object */
export function decodeEnvelope(text: string): Envelope {
  if (text === '') return EMPTY
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MALFORMED_REQUEST(undefined, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MALFORMED_REQUEST()
  return value as Envelope
}

function failureOf(error: ApiError): Failure {
  const { status, message, data, code, retryAfterSeconds } = error
  const detail = error instanceof VALIDATION_FAILED ? `: ${describe(data as readonly ValidationDetail[])}` : ''
  return {
    error: `${status}:${message}${detail}`,
    ...(data === undefined ? {} : { errorData: data }),
    name: code,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}

/** A failure as a single reply: gomicro reads the body, other clients of the NATS services protocol the headers. */
export function encodeFailure(error: ApiError): { readonly body: string; readonly headers: MsgHdrs } {
  const { name, retryAfterSeconds, ...body } = failureOf(error)
  const made = headers()
  made.set(ERROR_CODE, String(error.status))
  made.set(ERROR_TEXT, headerText(error.message))
  made.set(ERROR_NAME, name ?? '')
  if (retryAfterSeconds !== undefined) made.set(RETRY_AFTER, String(retryAfterSeconds))
  return { body: JSON.stringify(body), headers: made }
}

/** Reads a single reply. @throws {MALFORMED_REQUEST} when its body is not a JSON object */
export function decodeReply(msg: Msg): Reply {
  const { headers } = msg
  const { data, error, errorData } = decodeEnvelope(msg.string())
  const code = headers?.get(ERROR_CODE)
  // An error in the body alone counts as well: that is how Go services answer.
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

/** Splits gomicro's error text; the status is 500 if there is none. */
export function parseErrorText(text: string): { readonly status: number; readonly message: string } {
  const [, status, message] = /^(\d{3}):(.*)$/s.exec(text) ?? []
  return status === undefined ? { status: 500, message: text } : { status: Number(status), message: message ?? '' }
}

/** @param data JSON text; '' for none */
export function encodeCall(token: string, budgetMs: number, inherited: HeaderFields | undefined, data: string): string {
  const headers = inherited ? inherited.json : '0'
  return data === '' ? `["${token}",${budgetMs},${headers}]` : `["${token}",${budgetMs},${headers},${data}]`
}

/** @param data JSON text; '' for none */
export function encodeAnswer(token: string, data: string): string {
  return data === '' ? `["${token}"]` : `["${token}",${data}]`
}

export function encodeRefusal(token: string, error: ApiError): string {
  return `["${token}",null,${JSON.stringify(failureOf(error))}]`
}

/** The items of a batch or of its answers; undefined when the text is not a JSON array. */
export function parseItems(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Returns undefined for an item that is not a call, or cannot be answered. */
export function readCall(item: unknown): BatchedCall | undefined {
  if (!Array.isArray(item)) return undefined
  const [token, budgetMs, headers, data] = item
  if (typeof token !== 'string' || !TOKEN.test(token)) return undefined
  return { token, budgetMs: typeof budgetMs === 'number' ? budgetMs : Number.NaN, headers, data }
}

/** Returns undefined for an item that is not an answer. */
export function readAnswer(item: unknown): BatchedReply | undefined {
  if (!Array.isArray(item)) return undefined
  const [token, data, failure] = item
  if (typeof token !== 'string') return undefined
  const failed = typeof failure === 'object' && failure !== null
  return { token, data, failure: failed ? (failure as Failure) : undefined }
}

function describe(details: readonly ValidationDetail[]): string {
  return details.map(({ path, message }) => `${path} ${message}`).join('; ')
}

/** Headers are one line of ASCII. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500)
}
