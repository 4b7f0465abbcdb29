import { type ApiError, VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import type { JsonSchema } from '../schema/index.ts'

/** Codes of the envelope, as goserve's clients know them. */
export const SUCCESS_CODE = '10000'
/** `code` of every failure in goserve's envelope. */
const FAILURE_CODE = '10001'

export interface FailureEnvelope {
  readonly code: typeof FAILURE_CODE
  readonly status: number
  readonly message: string
  /** The error table's name. */
  readonly error: string
  readonly requestId: string
  /** Every problem of a request that does not match its schema. */
  readonly details?: readonly ValidationDetail[]
  /** The declared payload of an application's error. */
  readonly data?: unknown
}

/** The body of a failed answer. */
export function failureEnvelope(error: ApiError, requestId: string): FailureEnvelope {
  const { status, message, code } = error
  const envelope: FailureEnvelope = { code: FAILURE_CODE, status, message, error: code, requestId }
  if (error instanceof VALIDATION_FAILED) return { ...envelope, details: (error as ValidationError).data }
  return (error as ApiError).data === undefined ? envelope : { ...envelope, data: (error as ApiError).data }
}

type ValidationError = ApiError<string, readonly ValidationDetail[]>

/** JSON Schema of a success envelope around `data`: what the serializer is compiled from. */
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
