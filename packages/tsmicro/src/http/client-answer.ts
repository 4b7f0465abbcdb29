import type { BoundProcedure } from '../contract/index.ts'
import {
  type AnyErrorClass,
  type ApiError,
  createErrorClass,
  frameworkErrors,
  SERVICE_UNAVAILABLE,
} from '../errors/index.ts'
import type { FailureEnvelope, SuccessEnvelope } from './envelope.ts'

const FRAMEWORK: Readonly<Record<string, AnyErrorClass>> = frameworkErrors

/** The data of an answer. @throws {ApiError} the failure it tells of; SERVICE_UNAVAILABLE when it is not an answer of ours */
export function readAnswer(procedure: BoundProcedure, response: Response, text: string): unknown {
  const answer = parse(text)
  if (!response.ok) throw failureFrom(procedure, response, answer)
  if (procedure.bare) return answer
  if (answer === undefined) {
    throw new SERVICE_UNAVAILABLE(undefined, { cause: new Error(`${response.url} answered something unreadable`) })
  }
  return (answer as SuccessEnvelope).data
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function failureFrom(procedure: BoundProcedure, response: Response, answer: unknown): ApiError {
  const { status } = response
  const told = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<FailureEnvelope>
  const name = String(told.error ?? 'HTTP_ERROR')
  const message = typeof told.message === 'string' ? told.message : `HTTP ${status}`
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const known = procedure.errors?.[name] ?? (Object.hasOwn(FRAMEWORK, name) ? FRAMEWORK[name] : undefined)
  const Failure = known ?? createErrorClass(name, { status: status >= 400 ? status : 500, message })
  return new Failure(told.details ?? told.data, {
    message,
    ...(retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}),
  })
}
