import { DEADLINE_EXCEEDED, OVERLOADED, SERVICE_UNAVAILABLE } from './table.ts'

/**
 * True for failures that say "not now" about something we depend on. A handler may let them pass undeclared; every other
 * error must be declared by its procedure, so that a dependency's 401, 403 or 404 never becomes ours.
 *
 * @example
 * isDependencyFailure(new SERVICE_UNAVAILABLE()) // true
 * isDependencyFailure(new FORBIDDEN()) // false
 */
export function isDependencyFailure(error: unknown): boolean {
  return error instanceof SERVICE_UNAVAILABLE || error instanceof OVERLOADED || error instanceof DEADLINE_EXCEEDED
}
