import { InvalidArgumentError, type Msg } from '@nats-io/nats-core'
import { DEADLINE_EXCEEDED, PAYLOAD_TOO_LARGE, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { NOT_PERMITTED } from '../not-permitted.ts'
import type { BatchedReply } from '../wire/batch.ts'

/**
 * How a call ended: a message of its own, its part of a batch's, or not answered at all. Errors are made of it by whoever
 * called, after the `await`: so their stack traces lead to the caller, and not to a socket.
 */
export type Outcome =
  | { readonly kind: 'message'; readonly msg: Msg }
  | { readonly kind: 'item'; readonly item: BatchedReply }
  | { readonly kind: 'late' }
  | { readonly kind: 'unavailable'; readonly cause: unknown }
  /** The server refuses the message, or to let us hear replies. */
  | { readonly kind: 'not-permitted'; readonly cause: Error }
  | { readonly kind: 'too-large'; readonly cause: unknown }
  /** The caller gave up, and told why. */
  | { readonly kind: 'given-up'; readonly reason: unknown }

/** How a message ended that the client did not even send. */
export function unsent(cause: unknown): { readonly kind: 'too-large' | 'unavailable'; readonly cause: unknown } {
  const tooLarge = cause instanceof InvalidArgumentError && cause.message.includes('max_payload')
  return { kind: tooLarge ? 'too-large' : 'unavailable', cause }
}

/** What there is to throw when no answer came. */
export function reasonOf(outcome: Exclude<Outcome, { readonly kind: 'message' | 'item' }>): unknown {
  switch (outcome.kind) {
    case 'late':
      return new DEADLINE_EXCEEDED()
    case 'unavailable':
      return new SERVICE_UNAVAILABLE(undefined, { cause: outcome.cause })
    case 'not-permitted':
      return new NOT_PERMITTED(undefined, { message: outcome.cause.message, cause: outcome.cause })
    case 'too-large':
      return new PAYLOAD_TOO_LARGE(undefined, { cause: outcome.cause })
    case 'given-up':
      return outcome.reason
  }
}
