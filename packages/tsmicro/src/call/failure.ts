import type { BoundProcedure } from '../contract/index.ts'
import {
  ApiError,
  FORBIDDEN,
  INTERNAL,
  isDependencyFailure,
  UNAUTHENTICATED,
  VALIDATION_FAILED,
} from '../errors/index.ts'
import { CallerGoneError } from './deadline.ts'
import type { Log } from './log.ts'

/** The stage in which an error was thrown: a handler may throw less than the door in front of it. */
export type Stage = 'door' | 'handler'

const DOOR_ERRORS = [UNAUTHENTICATED, FORBIDDEN, VALIDATION_FAILED]

/**
 * What the caller is told of an error. A handler's error must be declared by its procedure or say that a dependency
 * cannot answer now; everything else is logged in full and told as INTERNAL.
 */
export function failureOf(error: unknown, stage: Stage, procedure: BoundProcedure, log: Log): ApiError {
  if (error instanceof ApiError) {
    if (isDependencyFailure(error)) {
      log.warn({ err: error, procedure: procedure.name }, 'a dependency cannot answer')
      return error
    }
    if (stage === 'door' && DOOR_ERRORS.some(known => error instanceof known)) return error
    if (stage === 'handler' && isDeclared(error, procedure)) return error
  }
  if (error instanceof CallerGoneError) {
    log.debug({ procedure: procedure.name }, 'the caller went away')
    return new INTERNAL()
  }
  const why = error instanceof ApiError ? `undeclared error ${error.code}` : 'unexpected error'
  log.error({ err: error, procedure: procedure.name }, `${why} in ${procedure.service}.${procedure.name}`)
  return new INTERNAL(undefined, { cause: error })
}

function isDeclared(error: ApiError, procedure: BoundProcedure): boolean {
  const declared = procedure.errors?.[error.code]
  return declared !== undefined && error instanceof declared
}
