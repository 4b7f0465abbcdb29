import { type CallContext, currentContext, withContext } from './context.ts'
import { Deadline } from './deadline.ts'

/** Longer than anything waits that the work might do. */
const LONGEST_MS = 60_000

/**
 * Runs work that several calls wait for, such as fetching what a cache keeps. It keeps request id, trace and token of the call
 * that happened to begin it, but that call's end is not its end: it is cancelled by the signal alone. For
 * `createCacheStore({ share: withSharedContext })`.
 */
export async function withSharedContext<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  const context = currentContext()
  if (!context) return run()
  const deadline = new Deadline(LONGEST_MS)
  const cancel = () => deadline.cancel(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })
  try {
    signal.throwIfAborted()
    return await withContext(new SharedContext(context, deadline), run)
  } finally {
    signal.removeEventListener('abort', cancel)
    deadline[Symbol.dispose]()
  }
}

/** Asks the other context only when it is asked itself: most of it is made on demand. */
class SharedContext implements CallContext {
  readonly deadline: Deadline
  readonly #context: CallContext

  constructor(context: CallContext, deadline: Deadline) {
    this.#context = context
    this.deadline = deadline
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
