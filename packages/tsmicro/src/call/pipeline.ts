import type { BoundProcedure } from '../contract/index.ts'
import { compileSchema } from '../schema/index.ts'
import { type CallContext, withContext } from './context.ts'
import type { TellFailure } from './failure.ts'
import type { Handler } from './handler.ts'
import { compose, type Middleware } from './middleware.ts'

/** Runs a validated input through middleware and handler, and checks the answer. Rejects with what the caller is told. */
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
  tellFailure: TellFailure,
): Pipeline {
  const errors = procedure.errors ?? {}
  const check = procedure.response ? compileSchema(procedure.response, 'ignore') : undefined
  const run = compose(middleware, async ({ input, context }) => {
    try {
      return await handler(callOf(input, context, errors) as never)
    } catch (error) {
      // Told here already, so that middleware sees what the caller will see, and cannot tell more by accident.
      throw await tellFailure(error, 'handler', context.log)
    }
  })
  const answer = async (input: Readonly<Record<string, unknown>>, context: CallContext): Promise<unknown> => {
    context.deadline.throwIfEnded()
    const result = await context.deadline.race(run({ procedure, context, input }))
    if (!check) return undefined
    const outcome = check(result)
    const checked = outcome instanceof Promise ? await outcome : outcome
    if (checked.problems) throw new ResponseMismatchError(checked.problems)
    return checked.value
  }
  return async (input, context) => {
    try {
      return await withContext(context, () => answer(input, context))
    } catch (error) {
      throw await tellFailure(error, 'middleware', context.log)
    }
  }
}

function callOf(input: object, context: CallContext, errors: object): object {
  return {
    ...input,
    errors,
    context,
    user: context.user,
    get signal() {
      return context.deadline.signal
    },
  }
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
