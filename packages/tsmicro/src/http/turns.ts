import { type DoorContext, type EndpointLimits, Gate, type Log, RareLog, type TellFailure } from '../call/index.ts'

export interface TurnsOptions {
  readonly limits: EndpointLimits | undefined
  /** For the log: `GET /slug/:slug`. */
  readonly route: string
  readonly tellFailure: TellFailure
  readonly log: Log
}

/**
 * The places of one route. A request has one while its caller is found out and while it is handled, not while it sends its body:
 * slow clients would take all of them.
 */
export class Turns {
  readonly #gate: Gate
  readonly #overload: RareLog
  readonly #route: string
  readonly #tellFailure: TellFailure

  constructor({ limits, route, tellFailure, log }: TurnsOptions) {
    this.#gate = new Gate(limits)
    this.#overload = new RareLog(log, 'overloaded: requests are refused')
    this.#route = route
    this.#tellFailure = tellFailure
  }

  /** Before anything is done for a request. @throws {OVERLOADED} */
  refuseWhenFull(): void {
    try {
      this.#gate.refuseWhenFull()
    } catch (error) {
      throw this.#refused(error)
    }
  }

  /**
   * Undefined = inside at once. Whoever got in must {@link leave}.
   * @param again it was inside before
   * @throws {OVERLOADED}; rejects with what the caller is told when its time ends before its turn comes
   */
  enter(context: DoorContext, again: boolean): Promise<void> | undefined {
    const { deadline } = context
    try {
      const turn = again ? this.#gate.return(deadline) : this.#gate.enter(deadline)
      return turn?.catch(async error => {
        throw await this.#tellFailure(error, 'guard', context.log)
      })
    } catch (error) {
      throw this.#refused(error)
    }
  }

  leave(): void {
    this.#gate.leave()
  }

  /** Not logged one by one: there may be very many. */
  #refused(error: unknown): unknown {
    this.#overload.happened({ route: this.#route })
    return error
  }
}
