import type { Msg } from '@nats-io/nats-core'
import type { Log } from '../../call/index.ts'
import { MOST_BATCHED_CALLS } from '../../contract/index.ts'
import { MALFORMED_REQUEST } from '../../errors/index.ts'
import { markInexact, tellInexact } from '../../schema/index.ts'
import { parseItems, readCall } from '../wire/batch.ts'
import { BatchCall } from './batch-call.ts'
import { BatchReplies } from './batch-replies.ts'
import type { Cancellable } from './inbound-call.ts'
import { respondFailure } from './respond.ts'

export interface BatchOptions {
  /** Bytes that the server takes in one message. */
  readonly maxPayload: number
  readonly timeoutMs: number
  /** There may be numbers in its calls. */
  readonly numbers: boolean
  readonly log: Log
}

/** The calls of one message. */
export class Batch implements Cancellable {
  readonly calls: readonly BatchCall[]

  constructor(calls: readonly BatchCall[]) {
    this.calls = calls
  }

  cancel(token: string | undefined): void {
    this.calls.find(call => call.token === token)?.cancel()
  }

  cancelAll(): void {
    for (const call of this.calls) call.cancel()
  }
}

/** Undefined for a message that is no batch: then that has been answered. What is no call within a batch is passed over. */
export function readBatch(msg: Msg, { maxPayload, timeoutMs, numbers, log }: BatchOptions): Batch | undefined {
  const text = msg.string()
  const inexact = numbers ? tellInexact(text, '') : undefined
  const items = parseItems(text, inexact ? markInexact : undefined)
  if (!items || items.length > MOST_BATCHED_CALLS) {
    respondFailure(msg, new MALFORMED_REQUEST(), log)
    return undefined
  }
  const shared = {
    replies: new BatchReplies(msg, maxPayload, log),
    escapes: text.includes('\\u'),
    inexact,
    timeoutMs,
    log,
  }
  return new Batch(
    items.flatMap(item => {
      const call = readCall(item)
      return call ? [new BatchCall(call, shared)] : []
    }),
  )
}
