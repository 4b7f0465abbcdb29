import type { BoundProcedure } from '../contract/index.ts'
import type { CallContext } from './context.ts'
import type { Deadline } from './deadline.ts'

/** A call of a procedure, served or made. */
export interface ProcedureCall {
  readonly procedure: BoundProcedure
  /** The validated input, as a handler gets it; what a client sends, before it is made text. Undefined where there is none. */
  readonly input: unknown
  /** What is left for it, and for whatever middleware does around it. */
  readonly deadline: Deadline
  /** The call that is worked on; `undefined` where a client is called outside of one. */
  readonly context: CallContext | undefined
}

/** A call on its way to the handler, as middleware of either door sees it. */
export interface MiddlewareCall extends ProcedureCall {
  readonly context: CallContext
}

/**
 * Cross-cutting behaviour in one shape: runs around the handler of either door, or around a call that a client makes; may
 * answer or throw instead of it. A `Middleware<ProcedureCall>` fits everywhere.
 *
 * @example
 * const timed: Middleware<ProcedureCall> = async (call, next) => {
 *   const start = performance.now()
 *   try { return await next() } finally { observe(call.procedure.name, performance.now() - start) }
 * }
 */
export type Middleware<Call extends ProcedureCall = MiddlewareCall> = (
  call: Call,
  /** With a deadline, what is behind has only its time. It must end no later than the call's. */
  next: (deadline?: Deadline) => Promise<unknown>,
) => Promise<unknown>

/** Chains middleware around a last step; the first of the list is the outermost. Built once, at start. */
export function compose<Call extends ProcedureCall>(
  middleware: readonly Middleware<Call>[],
  last: (call: Call) => Promise<unknown>,
): (call: Call) => Promise<unknown> {
  return middleware.reduceRight<(call: Call) => Promise<unknown>>(
    (next, layer) => call => layer(call, deadline => next(deadline ? { ...call, deadline } : call)),
    last,
  )
}
