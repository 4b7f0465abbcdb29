import type { BoundProcedure } from '../contract/index.ts'
import type { CallContext } from './context.ts'

/** A call on its way to the handler, as middleware of either door sees it. */
export interface MiddlewareCall {
  readonly procedure: BoundProcedure
  readonly context: CallContext
  /** Validated input: `data`, or `params`, `query` and `body`. */
  readonly input: Readonly<Record<string, unknown>>
}

/**
 * Cross-cutting behaviour in one shape for both doors: runs around the handler, may answer or throw instead of it.
 *
 * @example
 * const timed: Middleware = async (call, next) => {
 *   const start = performance.now()
 *   try { return await next() } finally { observe(call.procedure.name, performance.now() - start) }
 * }
 */
export type Middleware = (call: MiddlewareCall, next: () => Promise<unknown>) => Promise<unknown>

/** Chains middleware around a last step; the first of the list is the outermost. Built once, at start. */
export function compose(
  middleware: readonly Middleware[],
  last: (call: MiddlewareCall) => Promise<unknown>,
): (call: MiddlewareCall) => Promise<unknown> {
  return middleware.reduceRight<(call: MiddlewareCall) => Promise<unknown>>(
    (next, layer) => call => layer(call, () => next(call)),
    last,
  )
}
