import { isIdempotencyKey, type Middleware } from '../call/index.ts'
import { type BoundProcedure, kindOfBody, parseRoute } from '../contract/index.ts'
import { StartError } from './start-error.ts'

/**
 * The middleware of a module that runs around the handler of a procedure.
 * @throws {StartError} if the procedure wants an `Idempotency-Key` that could not have its effect
 */
export function middlewareOf(
  { service, name, http, access, input, output, idempotencyKey }: BoundProcedure,
  all: readonly Middleware[],
): readonly Middleware[] {
  if (!idempotencyKey) return all.filter(each => !isIdempotencyKey(each))
  const refuse = (why: string): never => {
    throw new StartError(`${service}.${name} has an idempotencyKey: ${why}`)
  }
  if (!all.some(isIdempotencyKey))
    refuse('give the module `middleware: [idempotencyKey(store)]`, with the store of PostgreSQL or MongoDB')
  if (!http || !['POST', 'PATCH'].includes(parseRoute(http).method)) refuse('its route has to be a POST or PATCH')
  if (access === 'open' || access === 'internal')
    refuse(`with access ${access} nobody knows whose key it is; let it be key, user, a role or { ownerOr }`)
  const body = kindOfBody(input) ?? kindOfBody(output)
  if (body)
    refuse(`it has no effect on ${body === 'upload' ? 'an' : 'a'} ${body}, which can be neither compared nor kept`)
  return all
}
