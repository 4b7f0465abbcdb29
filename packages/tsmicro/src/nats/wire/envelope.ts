import { MALFORMED_REQUEST } from '../../errors/index.ts'

/**
 * The body of requests and replies as gomicro writes them: `{"data":…}` or `{"error":"<status>:<message>"}`.
 * `errorData` carries a declared error's payload; other implementations ignore it.
 */
export interface Envelope {
  readonly data?: unknown
  readonly error?: string
  readonly errorData?: unknown
}

const EMPTY: Envelope = {}

/** @throws {MALFORMED_REQUEST} when the bytes are not a JSON object */
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

const STATUS_AND_MESSAGE = /^(\d{3}):(.*)$/s

/** Splits gomicro's error text; without a leading status it counts as 500. */
export function parseErrorText(text: string): { readonly status: number; readonly message: string } {
  const [, status, message] = STATUS_AND_MESSAGE.exec(text) ?? []
  return status === undefined ? { status: 500, message: text } : { status: Number(status), message: message ?? '' }
}
