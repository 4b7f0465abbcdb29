import type { CallContext } from './context.ts'
import type { Deadline } from './deadline.ts'

/** Of which service a call is, as far as that is known. */
export function ownerOf(context: CallContext | undefined): unknown {
  return context && 'owner' in context ? context.owner : undefined
}

/** Another context with a deadline of its own. Asks that one only when it is asked itself: most of it is made on demand. */
export class DerivedContext implements CallContext {
  readonly deadline: Deadline
  readonly #context: CallContext

  constructor(context: CallContext, deadline: Deadline) {
    this.#context = context
    this.deadline = deadline
  }

  get owner(): unknown {
    return ownerOf(this.#context)
  }

  get door() {
    return this.#context.door
  }

  get requestId() {
    return this.#context.requestId
  }

  get traceparent() {
    return this.#context.traceparent
  }

  get headers() {
    return this.#context.headers
  }

  get log() {
    return this.#context.log
  }

  get token() {
    return this.#context.token
  }

  get user() {
    return this.#context.user
  }

  get consumer() {
    return this.#context.consumer
  }
  get clientAddress() {
    return this.#context.clientAddress
  }
}
