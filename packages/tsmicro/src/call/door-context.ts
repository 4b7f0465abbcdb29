import { bearerOf } from './bearer.ts'
import type { Consumer } from './consumer.ts'
import type { CallContext } from './context.ts'
import type { Deadline } from './deadline.ts'
import type { Log } from './log.ts'
import type { Principal } from './principal.ts'
import { requestIdOf } from './request-id.ts'
import { traceparentOf } from './traceparent.ts'

export interface DoorContextInit {
  readonly door: CallContext['door']
  /** Default: the headers' `x-request-id`, else one that is made. */
  readonly requestId?: string
  readonly headers: CallContext['headers']
  readonly deadline: Deadline
  readonly log: Log
  readonly consumer?: Consumer | undefined
  readonly clientAddress?: string | undefined
}

/**
 * The context that a door makes of what arrived. What few calls look at is made when it is asked for: pino's `child` costs
 * more than many a handler, and a call between services that goes well needs no request id where nothing is logged.
 */
export class DoorContext implements CallContext {
  readonly door: CallContext['door']
  readonly headers: CallContext['headers']
  readonly deadline: Deadline
  readonly consumer: Consumer | undefined
  readonly clientAddress: string | undefined
  readonly #parent: Log
  #requestId: string | undefined
  #log: Log | undefined
  #user: Principal | undefined

  constructor({ door, requestId, headers, deadline, log, consumer, clientAddress }: DoorContextInit) {
    this.door = door
    this.headers = headers
    this.deadline = deadline
    this.consumer = consumer
    this.clientAddress = clientAddress
    this.#requestId = requestId
    this.#parent = log
  }

  get requestId(): string {
    this.#requestId ??= requestIdOf(this.headers['x-request-id'])
    return this.#requestId
  }

  get traceparent(): string | undefined {
    return traceparentOf(this.headers.traceparent)
  }

  get token(): string | undefined {
    return bearerOf(this.headers.authorization)
  }

  /** Whose call it is: the log of its service. */
  get owner(): Log {
    return this.#parent
  }

  get log(): Log {
    const { requestId } = this
    this.#log ??= this.#parent.child(this.#user ? { requestId, userId: this.#user.id } : { requestId })
    return this.#log
  }

  get user(): Principal | undefined {
    return this.#user
  }

  /** The door's guard has found out who calls. */
  identify(user: Principal): void {
    this.#user = user
    this.#log = undefined
  }
}
