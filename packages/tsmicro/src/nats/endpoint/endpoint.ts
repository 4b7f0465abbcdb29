import type { Msg } from '@nats-io/nats-core'
import {
  type CallContext,
  createPipeline,
  failureOf,
  type Guard,
  type Handler,
  type Log,
  type Middleware,
  withContext,
} from '../../call/index.ts'
import type { BoundProcedure } from '../../contract/index.ts'
import { type ApiError, INTERNAL, MALFORMED_REQUEST, VALIDATION_FAILED } from '../../errors/index.ts'
import { compileSchema } from '../../schema/index.ts'
import { decodeEnvelope, encodeData } from '../envelope.ts'
import { encodeFailure } from '../failure-reply.ts'
import { contextOfMessage } from './message-context.ts'
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
  handle(msg: Msg): Promise<void>
}

export function createEndpoint(options: EndpointOptions): Endpoint {
  const { procedure, guard, log } = options
  const stats = new EndpointStats()
  const check = procedure.request && compileSchema(procedure.request, 'ignore')
  const pipeline = createPipeline(procedure, options.handler, options.middleware)
  const timeoutMs = procedure.timeoutMs ?? options.timeoutMs

  const read = async (msg: Msg): Promise<Readonly<Record<string, unknown>>> => {
    const { data } = decodeEnvelope(msg.string())
    if (!check) return {}
    const checked = await check(data)
    if (checked.problems) throw new VALIDATION_FAILED(checked.problems)
    return { data: checked.value }
  }
  const admit = async (context: CallContext): Promise<CallContext> => {
    if (!guard) return context
    const user = await withContext(context, () => guard(context))
    return { ...context, user }
  }
  const answer = async (msg: Msg, context: CallContext): Promise<string> => {
    let stage: 'door' | 'handler' = 'door'
    try {
      const admitted = await admit(context)
      const input = await read(msg)
      stage = 'handler'
      return encodeData(await pipeline(input, admitted))
    } catch (error) {
      throw error instanceof MALFORMED_REQUEST && stage === 'door'
        ? error
        : failureOf(error, stage, procedure, context.log)
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
        const body = await answer(msg, context)
        respond(msg, body)
      } catch (error) {
        failure = error as ApiError
        refuse(msg, failure, log)
      } finally {
        context.deadline[Symbol.dispose]()
        stats.end(began, failure)
      }
    },
  }
}

function respond(msg: Msg, body: string): void {
  msg.respond(body)
}

/** Even the failure may not fit (a reply beyond the server's limit): then a short one is sent. */
function refuse(msg: Msg, error: ApiError, log: Log): void {
  for (const failure of [error, new INTERNAL()]) {
    try {
      const { body, headers } = encodeFailure(failure)
      msg.respond(body, { headers })
      return
    } catch (err) {
      log.error({ err, subject: msg.subject }, 'an answer could not be sent')
    }
  }
}
