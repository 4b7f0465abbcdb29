import { CallerGoneError, Deadline, DoorContext, type Log } from '../../call/index.ts'
import {
  type ApiError,
  INTERNAL,
  MALFORMED_REQUEST,
  VALIDATION_FAILED,
  type ValidationDetail,
} from '../../errors/index.ts'
import { hasInexact, isCleanText } from '../../schema/index.ts'
import { type BatchedCall, encodeAnswer, encodeRefusal } from '../wire/batch.ts'
import { failureOf } from '../wire/failure.ts'
import type { BatchReplies } from './batch-replies.ts'
import { budgetOf } from './budget.ts'
import type { InboundCall } from './inbound-call.ts'

export interface BatchCallOptions {
  readonly replies: BatchReplies
  /** Whether the message has escapes in it, so that texts have to be looked at. */
  readonly escapes: boolean
  /** What is wrong with a number somewhere in the message, which stands as NaN in its call. */
  readonly inexact: ValidationDetail | undefined
  readonly timeoutMs: number
  readonly log: Log
}

/** A call that came with others in one message. */
export class BatchCall implements InboundCall {
  readonly context: DoorContext
  readonly #call: BatchedCall
  readonly #options: BatchCallOptions
  gone = false

  constructor(call: BatchedCall, options: BatchCallOptions) {
    const { timeoutMs, log } = options
    this.#call = call
    this.#options = options
    const deadline = new Deadline(budgetOf(call.budgetMs, timeoutMs))
    this.context = new DoorContext({ door: 'nats', headers: call.headers, deadline, log })
  }

  get token(): string {
    return this.#call.token
  }

  read(): unknown {
    const { data } = this.#call
    if (this.#options.escapes && !isCleanText(data)) throw new MALFORMED_REQUEST()
    const { inexact } = this.#options
    if (inexact && hasInexact(data)) throw new VALIDATION_FAILED([inexact])
    return data
  }

  answer(data: string): ApiError | undefined {
    const item = encodeAnswer(this.token, data)
    if (this.#options.replies.add(item)) return undefined
    this.context.log.error({ length: item.length }, 'an answer is larger than the server takes')
    return this.refuse(new INTERNAL())
  }

  refuse(error: ApiError): ApiError {
    const short = new INTERNAL(undefined, { cause: error })
    try {
      if (this.#options.replies.add(encodeRefusal(this.token, failureOf(error)))) return error
      this.context.log.error({ err: error }, 'a failure is larger than the server takes')
    } catch (err) {
      this.context.log.error({ err }, 'a failure could not be written')
    }
    this.#options.replies.add(encodeRefusal(this.token, failureOf(short)))
    return short
  }

  cancel(): void {
    this.gone = true
    this.context.deadline.cancel(new CallerGoneError())
  }
}
