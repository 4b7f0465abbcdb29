import {
  type AuthorizationProvider,
  CallerGoneError,
  createFailureMapper,
  createPipeline,
  type DoorContext,
  type EndpointLimits,
  type Guard,
  type Handler,
  Limiter,
  type Log,
  type Middleware,
  type Settled,
  type Stage,
  StreamPlaces,
  ThrottledLog,
  withContext,
} from '../../call/index.ts'
import { type BoundProcedure, declaresReplies } from '../../contract/index.ts'
import { ApiError, DEADLINE_EXCEEDED, INTERNAL, OVERLOADED, VALIDATION_FAILED } from '../../errors/index.ts'
import { compiled, mayHaveNumbers, type Problems, withAbsent, withUnseen, writeJson } from '../../schema/index.ts'
import { compileSource, type Source } from './sources.ts'

export interface EndpointOptions {
  readonly procedure: BoundProcedure
  readonly handler: Handler
  readonly guard: Guard | undefined
  /** Answers the handler's `authorize`. */
  readonly authorization: AuthorizationProvider | undefined
  readonly middleware: readonly Middleware[]
  /** Milliseconds a handler may take unless its procedure or the caller says less. */
  readonly timeoutMs: number
  readonly limits?: EndpointLimits | undefined
  readonly log: Log
}

/** A call as an endpoint sees it, whether it came alone or in a batch. */
export abstract class InboundCall {
  readonly context: DoorContext
  /** Distinguishes it from the other calls of its batch; undefined when it came alone. */
  readonly token: string | undefined
  /** What is wrong with the data beside what its schema says; known once it has been read. */
  unseen: Problems | undefined
  #gone = false

  constructor(context: DoorContext) {
    this.context = context
  }

  /** Whether the caller no longer waits for the answer. */
  get gone(): boolean {
    return this.#gone
  }

  cancel(): void {
    this.#gone = true
    this.context.deadline.cancel(new CallerGoneError())
  }

  /** Checks whether the caller can take an answer of many messages. @throws {MALFORMED_REQUEST} */
  admit?(): void
  /** The request's data. @throws {MALFORMED_REQUEST} */
  abstract read(): unknown
  /** Sends the answer, JSON text or '' for none. If it cannot be sent, returns the failure that was sent instead. */
  abstract answer(data: string): ApiError | undefined
  /** Sends an answer of many messages; resolves to the failure that was sent, if any. Only a `FlowCall` can. */
  stream?(source: Source): Promise<ApiError | undefined>
  /** The service stops: an answer that might not end by itself ends. */
  retire?(): void
  /** Sends a failure; returns the one that was sent. */
  abstract refuse(error: ApiError): ApiError
}

/** Counters of one endpoint, named as in `$SRV.STATS`. */
interface EndpointStats {
  num_requests: number
  num_errors: number
  last_error: string
  /** Nanoseconds, until the answer is sent. */
  processing_time: number
}

/** Answers the calls of one subject. Every call gets exactly one answer, whatever happens. */
export interface Endpoint {
  readonly procedure: BoundProcedure
  readonly stats: Readonly<EndpointStats>
  /** Milliseconds a call may take. */
  readonly timeoutMs: number
  /** Its requests may contain numbers, so they are searched for some that would be rounded. */
  readonly numbers: boolean
  /** Its answers take many messages: streams and files. */
  readonly flows: boolean
  /** Never rejects. */
  handle(call: InboundCall): Promise<void>
}

/** Builds the endpoint of one procedure: everything is compiled here, nothing while a request is handled. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { procedure, guard, log } = options
  const stats: EndpointStats = { num_requests: 0, num_errors: 0, last_error: '', processing_time: 0 }
  const limiter = new Limiter(options.limits)
  const timeoutMs = procedure.timeoutMs ?? options.timeoutMs
  const overload = new ThrottledLog(log, 'overloaded: calls are refused')
  const { input: schema } = procedure
  const check = schema && withAbsent(schema, compiled.request(schema, 'ignore'))
  const toFailure = createFailureMapper(procedure)
  const pipeline = createPipeline(procedure, options.handler, options, toFailure)
  const replies = declaresReplies(procedure)
  const sourceOf = compileSource(procedure, timeoutMs, toFailure)
  const places = sourceOf && new StreamPlaces(options.limits)

  return {
    procedure,
    stats,
    timeoutMs,
    numbers: schema !== undefined && mayHaveNumbers(schema),
    flows: sourceOf !== undefined,
    // Awaits only what takes time, as each await costs a promise and a turn of the microtasks.
    async handle(call) {
      stats.num_requests += 1
      const began = performance.now()
      const { context } = call
      let failure: ApiError | undefined
      let leave: (() => void) | undefined
      try {
        leave = places?.take()
        const turn = limiter.acquire(context.deadline)
        if (turn) await turn
        let answer: string | Source
        let stage: Stage = 'guard'
        try {
          // The budget was spent on the way or while the call waited here: its caller has given up.
          if (context.deadline.remainingMs() === 0) throw new DEADLINE_EXCEEDED()
          if (guard) {
            const found = context.deadline.limit(withContext(context, guard, context))
            context.identify(found instanceof Promise ? await found : found)
          }
          stage = 'input'
          if (sourceOf) call.admit?.()
          const outcome = check?.(call.read())
          const checked = outcome instanceof Promise ? await outcome : outcome
          if (checked?.problems || call.unseen) throw new VALIDATION_FAILED(withUnseen(call.unseen, checked?.problems))
          stage = 'middleware'
          const running = pipeline(checked?.value, context)
          const result = running instanceof Promise ? await running : running
          const value = replies ? (result as Settled).value : result
          // JSON text is undefined for undefined, a function or a symbol.
          answer = sourceOf ? sourceOf(value, context) : (writeJson(value) ?? '')
        } catch (error) {
          throw await toFailure(error, stage, context.log)
        } finally {
          limiter.release()
        }
        failure = typeof answer === 'string' ? call.answer(answer) : await call.stream?.(answer)
      } catch (error) {
        // Calls that never got their turn are not logged one by one, because there may be very many.
        if (error instanceof OVERLOADED) overload.warn({ subject: procedure.subject })
        failure = error instanceof ApiError ? error : new INTERNAL(undefined, { cause: error })
        if (!call.gone) failure = call.refuse(failure)
      } finally {
        leave?.()
        context.deadline[Symbol.dispose]()
        stats.processing_time += Math.round((performance.now() - began) * 1e6)
        if (failure) {
          stats.num_errors += 1
          stats.last_error = `${failure.status}:${failure.message}`
        }
      }
    },
  }
}
