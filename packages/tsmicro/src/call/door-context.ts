import { bearerOf } from './bearer.ts'
import type { CallContext } from './context.ts'
import type { Deadline } from './deadline.ts'
import type { Log } from './log.ts'
import type { Principal } from './principal.ts'
import { traceparentOf } from './traceparent.ts'

export interface DoorContextInit {
  readonly door: CallContext['door']
  readonly requestId: string
  readonly headers: CallContext['headers']
  readonly deadline: Deadline
  readonly log: Log
}

/**
 * The context that a door makes of what arrived. The child logger is made when something is logged: pino's `child` costs
 * more than many a handler, and a call that goes well logs nothing here.
 */
export class DoorContext implements CallContext {
  readonly door: CallContext['door']
  readonly requestId: string
  readonly headers: CallContext['headers']
  readonly deadline: Deadline
  readonly traceparent: string | undefined
  readonly token: string | undefined
  readonly #parent: Log
  #log: Log | undefined
  #user: Principal | undefined

  constructor({ door, requestId, headers, deadline, log }: DoorContextInit) {
    this.door = door
    this.requestId = requestId
    this.headers = headers
    this.deadline = deadline
    this.traceparent = traceparentOf(headers.traceparent)
    this.token = bearerOf(headers.authorization)
    this.#parent = log
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
