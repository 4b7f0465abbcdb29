import { AsyncLocalStorage } from 'node:async_hooks'
import type { Consumer } from './consumer.ts'
import type { Deadline } from './deadline.ts'
import type { Log } from './log.ts'
import type { Principal } from './principal.ts'

/** What travels with a call through every stage and on to further services. */
export interface CallContext {
  /** Where the call came in; `background` for work that none began, see `inBackground`. */
  readonly door: 'http' | 'nats' | 'background'
  /** Made at the first door, kept across every hop; in each log line and each failure. */
  readonly requestId: string
  /** W3C trace context, passed on unchanged. */
  readonly traceparent: string | undefined
  /** Headers of the request, names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** What bounds the call until it is answered; afterwards nothing does, and its signal never aborts. */
  readonly deadline: Deadline
  readonly log: Log
  /** The bearer token, unverified unless `user` is there. Passed on to further services. */
  readonly token: string | undefined
  /** Set once the caller is known. */
  readonly user: Principal | undefined
  /** Whose API key came with it. Only over HTTP, and only when the gateway has signed the request; not passed on. */
  readonly consumer: Consumer | undefined
  /** IP address of the client, as far as it is known for sure: see `http.trustedProxies`. `undefined` over NATS. */
  readonly clientAddress: string | undefined
}

const storage = new AsyncLocalStorage<CallContext>()

/** Runs a function with a context that {@link currentContext} finds, across awaits. */
export function withContext<T>(context: CallContext, run: () => T): T {
  return storage.run(context, run)
}

/**
 * The context of the call being worked on; `undefined` outside of one.
 *
 * @example
 * const context: CallContext | undefined = currentContext()
 * log.info({ requestId: context?.requestId }, 'blog published')
 */
export function currentContext(): CallContext | undefined {
  return storage.getStore()
}
