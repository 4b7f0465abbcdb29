import type { BoundProcedure, Schema } from '../contract/index.ts'
import {
  type AnyErrorClass,
  ApiError,
  FORBIDDEN,
  frameworkErrors,
  INTERNAL,
  isDependencyFailure,
  MALFORMED_REQUEST,
  PAYLOAD_TOO_LARGE,
  REQUEST_TIMEOUT,
  UNAUTHENTICATED,
  UNSUPPORTED_MEDIA_TYPE,
  VALIDATION_FAILED,
  type ValidationDetail,
} from '../errors/index.ts'
import { type Check, compiled, formatProblems } from '../schema/index.ts'
import type { Log } from './context.ts'
import { CallerGoneError } from './deadline.ts'

/** Where an error was thrown: each stage may pass only its own kinds of errors on to the caller. */
export type Stage = 'guard' | 'input' | 'middleware' | 'handler'

/** Turns anything thrown into the error that the caller receives. */
export type FailureMapper = (error: unknown, stage: Stage, log: Log) => Promise<ApiError>

/**
 * Apart from these and the errors that a procedure declares, only failures of dependencies are passed on ({@link isDependencyFailure}). In
 * particular a handler must declare its own 401, 403 or 404, because one that a dependency answered must not become ours.
 */
const ALLOWED: Readonly<Record<Stage, readonly AnyErrorClass[]>> = {
  guard: [UNAUTHENTICATED, FORBIDDEN],
  input: [VALIDATION_FAILED, MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, REQUEST_TIMEOUT],
  middleware: Object.values(frameworkErrors),
  handler: [],
}

/** Compiles a procedure's {@link FailureMapper}. Every error that must not be passed on is logged in full and becomes INTERNAL. */
export function createFailureMapper(procedure: BoundProcedure): FailureMapper {
  const name = `${procedure.service}.${procedure.name}`
  const declared = new Map<AnyErrorClass, Check | undefined>(
    Object.values(procedure.errors ?? {}).map(type => [
      type,
      type.dataSchema === undefined ? undefined : compiled.outgoing(type.dataSchema as Schema),
    ]),
  )
  const mapped = new WeakSet<object>()
  const map = async (error: unknown, stage: Stage, log: Log): Promise<ApiError> => {
    const hide = (why: string, err: unknown = error) => {
      log.error({ err, procedure: name }, `${why} in ${name}`)
      return new INTERNAL(undefined, { cause: err })
    }
    if (error instanceof CallerGoneError) return new INTERNAL(undefined, { cause: error })
    if (!(error instanceof ApiError)) return hide('unexpected error')
    if (mapped.has(error)) return error
    if (isDependencyFailure(error)) {
      log.warn({ err: error, procedure: name }, `${error.code} in ${name}`)
      return error
    }
    const type = [...declared.keys()].find(each => error instanceof each)
    if (type && (stage === 'handler' || stage === 'middleware')) {
      const checked = await declared.get(type)?.(error.data)
      if (!checked) return error
      if (checked.problems)
        return hide(`data of ${error.code} that does not match its schema (${formatProblems(checked.problems)})`)
      const { message, retryAfterSeconds } = error
      return new type(checked.value, { message, cause: error, ...(retryAfterSeconds ? { retryAfterSeconds } : {}) })
    }
    return ALLOWED[stage].some(each => error instanceof each) ? error : hide(`undeclared error ${error.code}`)
  }
  return async (error, stage, log) => {
    const failure = await map(error, stage, log)
    mapped.add(failure)
    return failure
  }
}

/** A handler returned something that its procedure's output does not allow. */
export class ResponseMismatchError extends Error {
  constructor(problems: readonly ValidationDetail[]) {
    super(`the response does not match its schema: ${formatProblems(problems)}`)
    this.name = 'ResponseMismatchError'
  }
}
