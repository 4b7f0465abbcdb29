import type { BoundProcedure } from '../contract/index.ts'
import type { ValidationDetail } from '../errors/index.ts'
import { compileOutgoing, tellProblems } from '../schema/index.ts'
import { type CallContext, withContext } from './context.ts'
import type { Stage, TellFailure } from './failure.ts'
import type { Handler } from './handler.ts'
import { compose, type Middleware, type MiddlewareCall } from './middleware.ts'

/** Runs a validated input through middleware and handler, and checks the answer. Rejects with what the caller is told. */
export type Pipeline = (input: unknown, context: CallContext) => Promise<unknown>

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
  const check = compileOutput(procedure)
  const handle = ({ input, context }: MiddlewareCall) => handler(new HandlerCall(input, context, errors) as never)
  // Where there is no middleware whatever is thrown is the handler's: a layer less on the way of every call.
  const bare = middleware.length === 0
  const stage: Stage = bare ? 'handler' : 'middleware'
  const run: (call: MiddlewareCall) => unknown = bare ? handle : compose(middleware, toldAtOnce(handle, tellFailure))
  return async (input, context) => {
    try {
      const { deadline } = context
      deadline.throwIfEnded()
      const work = withContext(context, () => {
        const begun = run({ procedure, context, deadline, input })
        // Within the context: a query builder begins only when somebody asks for its outcome.
        return isThenable(begun) ? deadline.race(begun) : begun
      })
      const result = work instanceof Promise ? await work : work
      if (!check) return undefined
      const outcome = check(result)
      const checked = outcome instanceof Promise ? await outcome : outcome
      if (checked.problems) throw new ResponseMismatchError(checked.problems)
      return checked.value
    } catch (error) {
      throw await tellFailure(error, stage, context.log)
    }
  }
}

function compileOutput({ output }: BoundProcedure) {
  return output && compileOutgoing(output)
}

/** So that middleware sees what the caller will see, and cannot tell more by accident. */
function toldAtOnce(
  handle: (call: MiddlewareCall) => unknown,
  tellFailure: TellFailure,
): (call: MiddlewareCall) => Promise<unknown> {
  return async call => {
    try {
      return await handle(call)
    } catch (error) {
      throw await tellFailure(error, 'handler', call.context.log)
    }
  }
}

/** A query builder that starts when it is awaited counts, too. */
function isThenable(value: unknown): value is Promise<unknown> {
  const may = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return may && 'then' in value && typeof value.then === 'function'
}

/**
 * What a handler is given. A class, so that all have one shape, and what few handlers look at is made when they do: an object
 * literal with a getter costs five times as much.
 */
class HandlerCall {
  readonly input: unknown
  readonly errors: object
  readonly context: CallContext

  constructor(input: unknown, context: CallContext, errors: object) {
    this.input = input
    this.errors = errors
    this.context = context
  }

  get user(): CallContext['user'] {
    return this.context.user
  }

  get signal(): AbortSignal {
    return this.context.deadline.signal
  }
}

/** A handler answered something that its procedure's output does not allow. */
class ResponseMismatchError extends Error {
  constructor(problems: readonly ValidationDetail[]) {
    super(`the response does not match its schema: ${tellProblems(problems)}`)
    this.name = 'ResponseMismatchError'
  }
}
