import type { Msg, MsgHdrs } from '@nats-io/nats-core'
import { Deadline, DoorContext, type Log } from '../../call/index.ts'
import { type ApiError, INTERNAL } from '../../errors/index.ts'
import { isNode, unseenIn } from '../../schema/index.ts'
import { callHeaders } from '../headers.ts'
import { decodeEnvelope, encodeBody, encodeFailure } from '../wire.ts'
import { type Endpoint, InboundCall } from './endpoint.ts'

/** A call that came in its own message. */
export class MessageCall extends InboundCall {
  readonly #msg: Msg
  readonly #numbers: boolean

  constructor(msg: Msg, { timeoutMs, numbers }: Pick<Endpoint, 'timeoutMs' | 'numbers'>, log: Log) {
    super(contextOfMessage(msg, timeoutMs, log))
    this.#msg = msg
    this.#numbers = numbers
  }

  read(): unknown {
    const text = this.#msg.string()
    const { data } = decodeEnvelope(text)
    this.unseen = unseenIn(text, this.#numbers)?.(data, dataOf)
    return data
  }

  answer(data: string): ApiError | undefined {
    return respond(this.#msg, encodeBody(data), this.context)
  }

  refuse(error: ApiError): ApiError {
    return respondFailure(this.#msg, error, this.context.log)
  }
}

function dataOf(envelope: unknown): unknown {
  return isNode(envelope) ? envelope.data : envelope
}

/** The context of a message: the caller's request id, trace, token and remaining budget. */
export function contextOfMessage(msg: Msg, timeoutMs: number, log: Log): DoorContext {
  const { budgetMs, read } = callHeaders(msg)
  return new DoorContext({ door: 'nats', headers: read, deadline: new Deadline(budgetOf(budgetMs, timeoutMs)), log })
}

/** Milliseconds that a call may take: the number that its caller sent, if any, and at most `timeoutMs`. */
export function budgetOf(sent: number, timeoutMs: number): number {
  return sent >= 0 ? Math.min(sent, timeoutMs) : timeoutMs
}

/**
 * Sends an answer, or a short failure if the answer does not fit (a server takes 1 MiB by default). Returns that failure.
 * @param context of the call, whose log is made when it is first asked for
 */
export function respond(msg: Msg, body: string, context: { readonly log: Log }): ApiError | undefined {
  try {
    msg.respond(Buffer.from(body))
    return undefined
  } catch (err) {
    const { log } = context
    log.error({ err, subject: msg.subject, bytes: Buffer.byteLength(body) }, 'an answer could not be sent')
    return respondFailure(msg, new INTERNAL(undefined, { cause: err }), log)
  }
}

/**
 * Sends a failure, or a short one if its data does not fit or cannot be written. Returns the one that was sent.
 * @param mark adds headers
 */
export function respondFailure(
  msg: Msg,
  error: ApiError,
  log: Log,
  mark: (made: MsgHdrs) => MsgHdrs = made => made,
): ApiError {
  const short = new INTERNAL(undefined, { cause: error })
  for (const failure of [error, short]) {
    try {
      const { body, headers } = encodeFailure(failure)
      msg.respond(body, { headers: mark(headers) })
      return failure
    } catch (err) {
      log.error({ err, subject: msg.subject }, 'a failure could not be sent')
    }
  }
  return short
}
