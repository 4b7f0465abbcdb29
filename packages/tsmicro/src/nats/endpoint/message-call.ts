import type { Msg } from '@nats-io/nats-core'
import { CallerGoneError, type DoorContext, type Log } from '../../call/index.ts'
import { type ApiError, MALFORMED_REQUEST, VALIDATION_FAILED } from '../../errors/index.ts'
import { isCleanText, tellInexact } from '../../schema/index.ts'
import { decodeEnvelope } from '../wire/envelope.ts'
import type { Endpoint } from './endpoint.ts'
import type { Cancellable, InboundCall } from './inbound-call.ts'
import { contextOfMessage } from './message-context.ts'
import { respond, respondFailure } from './respond.ts'

/** A call that came in a message of its own. */
export class MessageCall implements InboundCall, Cancellable {
  readonly context: DoorContext
  readonly #msg: Msg
  readonly #numbers: boolean
  gone = false

  constructor(msg: Msg, { timeoutMs, numbers }: Pick<Endpoint, 'timeoutMs' | 'numbers'>, log: Log) {
    this.#msg = msg
    this.#numbers = numbers
    this.context = contextOfMessage(msg, timeoutMs, log)
  }

  read(): unknown {
    const text = this.#msg.string()
    const { data } = decodeEnvelope(text)
    // As at the HTTP door: what is no text stops here, not in a database.
    if (text.includes('\\u') && !isCleanText(data)) throw new MALFORMED_REQUEST()
    const inexact = this.#numbers ? tellInexact(text, '') : undefined
    if (inexact) throw new VALIDATION_FAILED([inexact])
    return data
  }

  answer(data: string): ApiError | undefined {
    return respond(this.#msg, data === '' ? '{}' : `{"data":${data}}`, this.context.log)
  }

  refuse(error: ApiError): ApiError {
    return respondFailure(this.#msg, error, this.context.log)
  }

  cancel(): void {
    this.gone = true
    this.context.deadline.cancel(new CallerGoneError())
  }

  cancelAll(): void {
    this.cancel()
  }
}
