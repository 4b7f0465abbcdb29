import {
  createPipeline,
  createTellFailure,
  type EndpointLimits,
  Gate,
  type Guard,
  type Handler,
  type Log,
  type Middleware,
  RareLog,
  type Stage,
  withContext,
} from '../../call/index.ts'
import type { BoundProcedure } from '../../contract/index.ts'
import { ApiError, DEADLINE_EXCEEDED, INTERNAL, OVERLOADED, VALIDATION_FAILED } from '../../errors/index.ts'
import {
  type Check,
  type Checked,
  compileNothing,
  compileRequest,
  mayHaveNumbers,
  type Schema,
  writeJson,
} from '../../schema/index.ts'
import type { InboundCall } from './inbound-call.ts'
import { EndpointStats } from './stats.ts'

export interface EndpointOptions {
  readonly procedure: BoundProcedure
  readonly handler: Handler
  readonly guard: Guard | undefined
  readonly middleware: readonly Middleware[]
  /** Milliseconds a handler may take unless its procedure or the caller says less. */
  readonly timeoutMs: number
  readonly limits?: EndpointLimits | undefined
  readonly log: Log
}

/** Answers the calls of one subject. Every call gets exactly one answer, whatever happens. */
export interface Endpoint {
  readonly procedure: BoundProcedure
  readonly stats: EndpointStats
  /** Milliseconds a call may take. */
  readonly timeoutMs: number
  /** There may be numbers in its requests: those that would be rounded are looked for. */
  readonly numbers: boolean
  /** Never rejects. */
  handle(call: InboundCall): Promise<void>
}

/** Builds the way of one procedure's calls: everything is compiled here, nothing on the request path. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { procedure, guard, log } = options
  const stats = new EndpointStats()
  const gate = new Gate(options.limits)
  const overload = new RareLog(log, 'overloaded: calls are refused')
  const { input: schema } = procedure
  const check = schema && compileRequest(schema, 'ignore')
  const absent = schema && check && compileAbsent(schema, check)
  const tellFailure = createTellFailure(procedure)
  const pipeline = createPipeline(procedure, options.handler, options.middleware, tellFailure)

  /** The answer as JSON text. Rejects with what the caller is told. */
  const work = async (call: InboundCall): Promise<string> => {
    const { context } = call
    let stage: Stage = 'guard'
    try {
      // Spent while it was on its way or waited here: whoever asked has stopped waiting.
      if (context.deadline.remainingMs() === 0) throw new DEADLINE_EXCEEDED()
      if (guard) context.identify(await context.deadline.race(withContext(context, () => guard(context))))
      stage = 'input'
      const data = call.read()
      const outcome = data === undefined ? absent?.() : check?.(data)
      const checked = outcome instanceof Promise ? await outcome : outcome
      if (checked?.problems) throw new VALIDATION_FAILED(checked.problems)
      stage = 'middleware'
      const result = await pipeline(checked?.value, context)
      // Also undefined for a function or a symbol.
      return writeJson(result) ?? ''
    } catch (error) {
      throw await tellFailure(error, stage, context.log)
    }
  }
  return {
    procedure,
    stats,
    timeoutMs: procedure.timeoutMs ?? options.timeoutMs,
    numbers: schema !== undefined && mayHaveNumbers(schema),
    async handle(call) {
      const began = stats.begin()
      let failure: ApiError | undefined
      try {
        const turn = gate.enter(call.context.deadline)
        if (turn) await turn
        try {
          failure = call.answer(await work(call))
        } finally {
          gate.leave()
        }
      } catch (error) {
        // What did not come as far as its turn is not logged one by one: there may be very many.
        if (error instanceof OVERLOADED) overload.happened({ subject: procedure.subject })
        failure = error instanceof ApiError ? error : new INTERNAL(undefined, { cause: error })
        if (!call.gone) failure = call.refuse(failure)
      } finally {
        call.context.deadline[Symbol.dispose]()
        stats.end(began, failure)
      }
    },
  }
}

/** A request without data, as one without a body at the HTTP door. What is told of one that will not do has been told of them ever since. */
function compileAbsent(schema: Schema, check: Check): () => Promise<Checked> {
  const nothing = compileNothing(schema)
  return async () => {
    const outcome = await check(nothing())
    return outcome.problems ? check(undefined) : outcome
  }
}
