import type { Deadline } from '../../call/index.ts'
import { OVERLOADED } from '../../errors/index.ts'

/** How much one endpoint of one instance takes. */
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
    if (this.#inside < this.#maxConcurrent) {
      this.#inside += 1
      return undefined
    }
    if (this.#queue.size >= this.#maxQueued) throw new OVERLOADED(undefined, { retryAfterSeconds: RETRY_AFTER_SECONDS })
    return new Promise((resolve, reject) => {
      const forget = deadline.onEnd(reason => {
        this.#queue.delete(admit)
        reject(reason)
      })
      const admit = () => {
        forget()
        resolve()
      }
      this.#queue.add(admit)
    })
  }

  /** The place goes to the next in the queue. */
  leave(): void {
    const [next] = this.#queue
    if (!next) this.#inside -= 1
    else {
      this.#queue.delete(next)
      next()
    }
  }
}
