import { OVERLOADED } from '../errors/index.ts'
import type { Deadline } from './deadline.ts'

/** How much one endpoint of one instance takes at one door. */
export interface EndpointLimits {
  /** Calls worked on at the same time. Default 256. */
  readonly maxConcurrent?: number
  /** Calls that wait for their turn; more are refused with OVERLOADED. Default 1,024. */
  readonly maxQueued?: number
}

/** A client that is refused should not come back at once. */
const RETRY_AFTER_SECONDS = 1

/**
 * Bounds what is worked on and what waits, so that overload costs memory and time of the few that are refused rather than of
 * all: a queue without end answers everybody too late.
 */
export class Gate {
  readonly #maxConcurrent: number
  readonly #maxQueued: number
  readonly #queue = new Set<() => void>()
  readonly #returning = new Set<() => void>()
  #inside = 0

  constructor({ maxConcurrent = 256, maxQueued = 1024 }: EndpointLimits = {}) {
    this.#maxConcurrent = maxConcurrent
    this.#maxQueued = maxQueued
  }

  /**
   * Undefined = inside at once; else resolves when it is this call's turn, in order of arrival. Whoever got in must
   * {@link leave}. @throws {OVERLOADED} when the queue is full; rejects with the deadline's reason when that ends first
   */
  enter(deadline: Deadline): Promise<void> | undefined {
    return this.#enter(this.#queue, deadline)
  }

  /**
   * The same for a call that was inside before and left while it waited for its client: ahead of those that come for the first
   * time, whose number would otherwise decide whether any call is ever finished.
   */
  return(deadline: Deadline): Promise<void> | undefined {
    return this.#enter(this.#returning, deadline)
  }

  /** True = inside; false: {@link enter} and wait. */
  enterNow(): boolean {
    if (this.#inside >= this.#maxConcurrent) return false
    this.#inside += 1
    return true
  }

  /** For a refusal that costs nothing. @throws {OVERLOADED} when there is no place, and none to wait for one */
  refuseWhenFull(): void {
    if (this.#inside >= this.#maxConcurrent && this.#queue.size >= this.#maxQueued) throw overloaded()
  }

  #enter(queue: Set<() => void>, deadline: Deadline): Promise<void> | undefined {
    if (this.enterNow()) return undefined
    if (queue.size >= this.#maxQueued) throw overloaded()
    return new Promise((resolve, reject) => {
      const forget = deadline.onEnd(reason => {
        queue.delete(admit)
        reject(reason)
      })
      const admit = () => {
        forget()
        resolve()
      }
      queue.add(admit)
    })
  }

  /** The place goes to the next in the queue. */
  leave(): void {
    const queue = this.#returning.size > 0 ? this.#returning : this.#queue
    const [next] = queue
    if (!next) this.#inside -= 1
    else {
      queue.delete(next)
      next()
    }
  }
}

function overloaded(): Error {
  return new OVERLOADED(undefined, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
