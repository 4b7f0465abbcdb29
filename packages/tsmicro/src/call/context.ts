import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import type { Deadline } from './deadline.ts'
import { Inherited } from './inherited.ts'

/**
 * The logger that the framework needs, shaped like pino's. `tsmicro/telemetry` makes one.
 *
 * @example
 * const log: Log = createLogger({ name: 'blog' })
 */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Log
}

/**
 * The user who calls, as an {@link AuthenticationProvider} identified them. An application may add fields by declaration merging:
 *
 * @example
 * declare module 'tsmicro' { interface Principal { readonly name?: string } }
 */
export interface Principal {
  /** The user's id. */
  readonly id: string
  /** The session that the token belongs to, where there are sessions. */
  readonly sessionId?: string
}

/** The application that calls, identified by the API key that the gateway checked. Its user is the {@link Principal}. */
export interface Consumer {
  /** The key's id, never the key. */
  readonly id: string
  /** What the key permits, as its issuer names it. */
  readonly permissions: readonly string[]
}

/** Accompanies a call through every stage and on to further services. */
export interface CallContext {
  /** Where the call came in; `background` for work that no call started, see `inBackground`. */
  readonly door: 'http' | 'nats' | 'background'
  /** Made at the first door and kept across every hop; it is in each log line and each failure. */
  readonly requestId: string
  /** W3C trace context, passed on unchanged. */
  readonly traceparent: string | undefined
  /** Headers of the request, names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Limits the call until it has been answered. After that nothing does, and its signal never aborts. */
  readonly deadline: Deadline
  readonly log: Log
  /** The bearer token, unverified unless `user` is set. Passed on to further services. */
  readonly token: string | undefined
  /** Set once the caller has been identified. */
  readonly user: Principal | undefined
  /** The application whose API key came with the request. Set over HTTP only, if the gateway signed the request; not passed on. */
  readonly consumer: Consumer | undefined
  /** IP address of the client, as far as it can be trusted: see `http.trustedProxies`. `undefined` over NATS. */
  readonly clientAddress: string | undefined
}

const storage = new AsyncLocalStorage<CallContext>()

/** Runs a function with a context that {@link currentContext} returns, across awaits. */
export function withContext<T, Given extends unknown[]>(
  context: CallContext,
  run: (...given: Given) => T,
  ...given: Given
): T {
  return storage.run(context, run, ...given)
}

/**
 * The context of the call being handled; `undefined` outside of one.
 *
 * @example
 * const context: CallContext | undefined = currentContext()
 * log.info({ requestId: context?.requestId }, 'blog published')
 */
export function currentContext(): CallContext | undefined {
  return storage.getStore()
}

export interface DoorContextInit {
  readonly door: CallContext['door']
  /** Default: the `x-request-id` of the headers, or else a new one. */
  readonly requestId?: string
  /** A function = they are read only if somebody asks for them. */
  readonly headers: CallContext['headers'] | (() => CallContext['headers'])
  readonly deadline: Deadline
  readonly log: Log
  readonly consumer?: Consumer | undefined
  readonly clientAddress?: string | undefined
}

/**
 * The context that a door makes for a request. Values that few calls read are made on demand: pino's `child` costs more than many handlers,
 * and a successful call between services needs no request id if nothing is logged.
 */
export class DoorContext implements CallContext {
  readonly door: CallContext['door']
  readonly deadline: Deadline
  readonly consumer: Consumer | undefined
  readonly clientAddress: string | undefined
  /** The log of the service that received the call, which also identifies that service. */
  readonly owner: Log
  #headers: DoorContextInit['headers']
  #inherited: Inherited | undefined
  #requestId: string | undefined
  #log: Log | undefined
  #user: Principal | undefined

  constructor({ door, requestId, headers, deadline, log, consumer, clientAddress }: DoorContextInit) {
    this.door = door
    this.#headers = headers
    this.deadline = deadline
    this.consumer = consumer
    this.clientAddress = clientAddress
    this.#requestId = requestId
    this.owner = log
  }

  get headers(): CallContext['headers'] {
    if (typeof this.#headers === 'function') this.#headers = this.#headers()
    return this.#headers
  }

  /** A getter, as a proxy of a context passes no other access on to private fields. */
  get inherited(): Inherited {
    this.#inherited ??= new Inherited(this)
    return this.#inherited
  }

  get requestId(): string {
    this.#requestId ??= requestIdOf(this.headers['x-request-id'])
    return this.#requestId
  }

  get traceparent(): string | undefined {
    const { traceparent } = this.headers
    return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined
  }

  get token(): string | undefined {
    const { authorization } = this.headers
    return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
  }

  get log(): Log {
    const { requestId } = this
    this.#log ??= this.owner.child(this.#user ? { requestId, userId: this.#user.id } : { requestId })
    return this.#log
  }

  get user(): Principal | undefined {
    return this.#user
  }

  /** Sets the user whom the door's guard found. */
  identify(user: Principal): void {
    this.#user = user
    this.#log = undefined
  }
}

/** W3C Trace Context. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
/** RFC 6750. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i
const REQUEST_ID = /^[A-Za-z0-9._~-]{1,128}$/

/** The caller's request id if it is harmless in logs and headers, or else a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID()
}
