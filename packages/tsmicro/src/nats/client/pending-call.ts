import type { Msg } from '@nats-io/nats-core'
import { type Deadline, Expiring, expireIn, forget, type HeaderFields } from '../../call/index.ts'
import { DEADLINE_EXCEEDED } from '../../errors/index.ts'
import type { BatchedReply } from '../wire.ts'

/**
 * How a call ended: with its own message, with its part of a batch's, or unanswered. Errors are made only after the caller's
 * `await`, so that their stack traces lead to the caller and not to a socket.
 */
export type Outcome =
  | { readonly msg: Msg }
  | { readonly item: BatchedReply }
  /** Creates the error to throw. */
  | { readonly error: () => unknown }

export interface CallRequest {
  readonly subject: string
  /** JSON text; '' for none. */
  readonly data: string
  /** Headers that it inherits from the call that makes it, and its own. */
  readonly inherited: HeaderFields | undefined
  /** Milliseconds from now. */
  readonly budgetMs: number
  /** Whether it may share a message with others. */
  readonly batchable: boolean
}

/** A call, from its start to its one outcome. */
export class PendingCall extends Expiring {
  readonly request: CallRequest
  /** Last token of the reply subject of the message that it was sent with; '' before. Nobody can guess it. */
  reply = ''
  /** Its token within a batch; '' when it was sent alone. */
  item = ''
  /** Stops watching the caller's signal and deadline. */
  unwatch: (() => void) | undefined
  readonly #onEnd: (call: PendingCall) => void
  #settle: ((outcome: Outcome) => void) | undefined

  constructor(request: CallRequest, onEnd: (call: PendingCall) => void) {
    super()
    this.request = request
    this.#onEnd = onEnd
  }

  /** Starts waiting, for its budget at most. */
  wait(): Promise<Outcome> {
    expireIn(this.request.budgetMs, this)
    return new Promise(resolve => {
      this.#settle = resolve
    })
  }

  get ended(): boolean {
    return this.#settle === undefined
  }

  /** Only the first outcome counts. */
  end(outcome: Outcome): void {
    const settle = this.#settle
    if (!settle) return
    this.#settle = undefined
    forget(this)
    this.unwatch?.()
    this.#onEnd(this)
    settle(outcome)
  }

  expire(): void {
    this.end({ error: () => new DEADLINE_EXCEEDED() })
  }
}

/** Calls back when the caller's signal aborts or the deadline ends. Returns a function that stops watching. */
export function watch(
  giveUp: (reason: unknown) => void,
  signal: AbortSignal | undefined,
  deadline: Deadline | undefined,
): () => void {
  const forget = deadline?.onEnd(giveUp)
  if (!signal) return forget ?? (() => {})
  const abort = () => giveUp(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return () => {
    signal.removeEventListener('abort', abort)
    forget?.()
  }
}
