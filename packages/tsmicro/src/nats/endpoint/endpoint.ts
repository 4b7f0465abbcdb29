import type { Msg } from '@nats-io/nats-core'
import {
  createPipeline,
  createTellFailure,
  type DoorContext,
  type Guard,
  type Handler,
  type Log,
  type Middleware,
  type Stage,
  withContext,
} from '../../call/index.ts'
import type { BoundProcedure } from '../../contract/index.ts'
import { type ApiError, DEADLINE_EXCEEDED, MALFORMED_REQUEST, VALIDATION_FAILED } from '../../errors/index.ts'
import { compileRequest, isCleanText } from '../../schema/index.ts'
import { decodeEnvelope, encodeData } from '../envelope.ts'
import { contextOfMessage } from '../message-context.ts'
import { respond, respondFailure } from './respond.ts'
import { EndpointStats } from './stats.ts'

export interface EndpointOptions {
  readonly procedure: BoundProcedure
  readonly handler: Handler
  readonly guard: Guard | undefined
  readonly middleware: readonly Middleware[]
  /** Milliseconds a handler may take unless its procedure or the caller says less. */
  readonly timeoutMs: number
  readonly log: Log
}

/** Answers the messages of one subject. Every message gets exactly one answer, whatever happens. */
export interface Endpoint {
  readonly procedure: BoundProcedure
  readonly stats: EndpointStats
  /** Never rejects. */
  handle(msg: Msg): Promise<void>
}

/** Builds the way of one procedure's messages: everything is compiled here, nothing on the request path. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { procedure, guard, log } = options
  const stats = new EndpointStats()
  const check = procedure.request && compileRequest(procedure.request, 'ignore')
  const tellFailure = createTellFailure(procedure)
  const pipeline = createPipeline(procedure, options.handler, options.middleware, tellFailure)
  const timeoutMs = procedure.timeoutMs ?? options.timeoutMs

  const read = async (msg: Msg): Promise<Readonly<Record<string, unknown>>> => {
    const text = msg.string()
    const { data } = decodeEnvelope(text)
    if (!check) return {}
    // As at the HTTP door: what is no text stops here, not in a database.
    if (text.includes('\\u') && !isCleanText(data)) throw new MALFORMED_REQUEST()
    const outcome = check(data)
    const checked = outcome instanceof Promise ? await outcome : outcome
    if (checked.problems) throw new VALIDATION_FAILED(checked.problems)
    return { data: checked.value }
  }
  const answer = async (msg: Msg, context: DoorContext): Promise<string> => {
    let stage: Stage = 'guard'
    try {
      // Spent while it was on its way: whoever asked has stopped waiting.
      if (context.deadline.remainingMs() === 0) throw new DEADLINE_EXCEEDED()
      if (guard) context.identify(await context.deadline.race(withContext(context, () => guard(context))))
      stage = 'input'
      const input = await read(msg)
      stage = 'middleware'
      return encodeData(await pipeline(input, context))
    } catch (error) {
      throw await tellFailure(error, stage, context.log)
    }
  }
  return {
    procedure,
    stats,
    async handle(msg) {
      const began = stats.begin()
      const context = contextOfMessage(msg, timeoutMs, log)
      let failure: ApiError | undefined
      try {
        failure = respond(msg, await answer(msg, context), context.log)
      } catch (error) {
        failure = respondFailure(msg, error as ApiError, context.log)
      } finally {
        context.deadline[Symbol.dispose]()
        stats.end(began, failure)
      }
    },
  }
}
