import { type CallContext, Deadline, type ProcedureCall } from '../../call/index.ts'
import type { ReplyErrors } from './reply.ts'
import { watch } from './watch.ts'

/** A call on its way through the client's middleware. */
export interface OutgoingCall extends ProcedureCall {
  /** The input as JSON text. */
  readonly text: string
  readonly asUser: boolean
  readonly errors: ReplyErrors
}

/**
 * Does some work under a deadline of its own: it ends after `budgetMs`, and earlier when the signal aborts or the call that
 * it is done for ends. Nothing of it is left when the work is done.
 */
export async function withDeadline<T>(
  budgetMs: number,
  signal: AbortSignal | undefined,
  context: CallContext | undefined,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  context?.deadline.throwIfEnded()
  signal?.throwIfAborted()
  const deadline = new Deadline(context ? Math.min(budgetMs, context.deadline.remainingMs()) : budgetMs)
  const unwatch = watch(reason => deadline.cancel(reason as Error), signal, context?.deadline)
  try {
    return await work(deadline)
  } finally {
    unwatch()
    deadline[Symbol.dispose]()
  }
}
