import { type ApiError, VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import type { JsonSchema } from '../schema/index.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'

/** `code` of every success in goserve's envelope. */
export const SUCCESS_CODE = '10000'
/** `code` of every failure in goserve's envelope. */
const FAILURE_CODE = '10001'

interface FailureEnvelope {
  readonly code: typeof FAILURE_CODE
  readonly status: number
  readonly message: string
  /** Its name in the table of errors. */
  readonly error: string
  readonly requestId: string
  /** Every problem of a request that does not match its schema. */
  readonly details?: readonly ValidationDetail[]
  /** The declared payload of an application's error. */
  readonly data?: unknown
}

/** The body of a failed answer. */
export function failureEnvelope(error: ApiError<string, unknown>, requestId: string): FailureEnvelope {
  const { status, message, code, data } = error
  const envelope: FailureEnvelope = { code: FAILURE_CODE, status, message, error: code, requestId }
  if (error instanceof VALIDATION_FAILED) return { ...envelope, details: data as readonly ValidationDetail[] }
  return data === undefined ? envelope : { ...envelope, data }
}

/** JSON Schema of the failure envelope. */
export const FAILURE: JsonSchema = {
  type: 'object',
  required: ['code', 'status', 'message', 'error', 'requestId'],
  properties: {
    code: { const: FAILURE_CODE },
    status: { type: 'integer' },
    message: { type: 'string' },
    error: { type: 'string', description: 'Stable name from the error table' },
    requestId: { type: 'string' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        required: ['path', 'message'],
      },
    },
    data: {},
  },
}

/** JSON Schema of a success envelope around `data`. */
export function successSchema(data: JsonSchema | undefined): JsonSchema {
  return {
    type: 'object',
    properties: {
      code: { type: 'string' },
      status: { type: 'integer' },
      message: { type: 'string' },
      ...(data ? { data } : {}),
    },
    required: ['code', 'status', 'message', ...(data ? ['data'] : [])],
  }
}
