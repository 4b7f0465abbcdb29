import type { BoundProcedure } from '../contract/index.ts'
import { compileSchema } from '../schema/index.ts'
import { type CallContext, withContext } from './context.ts'
import type { Handler } from './handler.ts'
import { compose, type Middleware } from './middleware.ts'

/** Runs a validated input through middleware and handler, and checks the answer. */
export type Pipeline = (input: Readonly<Record<string, unknown>>, context: CallContext) => Promise<unknown>

/**
 * Builds what both doors run behind their validation: middleware → handler → check of the response. A response that does
 * not match its schema is our mistake, not the caller's: a logged 500. Fields that the schema does not name are dropped,
 * so that a handler returning a whole document leaks nothing.
 */
export function createPipeline(
  procedure: BoundProcedure,
  handler: Handler,
  middleware: readonly Middleware[],
): Pipeline {
  const errors = procedure.errors ?? {}
  const check = procedure.response ? compileSchema(procedure.response, 'ignore') : undefined
  const run = compose(middleware, async ({ input, context }) => {
    const { user } = context
    const signal = context.deadline.signal
    return abortable(signal, handler({ ...input, errors, context, signal, user } as never))
  })
  return (input, context) =>
    withContext(context, async () => {
      const answer: unknown = await run({ procedure, context, input })
      if (!check) return undefined
      const checked = await check(answer)
      if (checked.problems) throw new ResponseMismatchError(checked.problems)
      return checked.value
    })
}

/** The answer of a handler, or the signal's reason as soon as it aborts, for handlers that do not listen to it. */
function abortable<T>(signal: AbortSignal, work: T | Promise<T>): T | Promise<T> {
  if (!(work instanceof Promise)) return work
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** A handler answered something that its procedure's response schema does not allow. */
export class ResponseMismatchError extends Error {
  constructor(problems: readonly { readonly path: string; readonly message: string }[]) {
    super(
      `the response does not match its schema: ${problems.map(p => `${p.path || '(root)'} ${p.message}`).join('; ')}`,
    )
    this.name = 'ResponseMismatchError'
  }
}
