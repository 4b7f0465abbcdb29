import { Recent } from '../call/index.ts'
import type { Delivery } from './delivery.ts'
import { type Lane, STUCK_MS } from './lane.ts'
import { MOST_PULLED, MOST_PULLED_BYTES } from './pulling.ts'

/** What is taken from the server and not handled yet, in events and bytes of their bodies. */
const MOST_EVENTS = 2 * MOST_PULLED
const MOST_BYTES = 4 * MOST_PULLED_BYTES
/** While there is no room, an aggregate that is stuck hands back all but its first events: for bytes, all but one. */
const STUCK_KEEPS = 4
/** One that waits for a dependency for so long hands back all: others may not need it. */
const DEPENDENCY_MS = 5000
const MOST_KNOWN = 16_384

/** Bounds what a consumer has taken, so that memory is flat, and makes room for those that can go on. */
export class Room {
  inFlight = 0
  #bytes = 0
  /** Since when the aggregates whose early events were handed back wait for those before. */
  readonly #early = new Recent<number>(MOST_KNOWN)

  /** How many more events fit, and whether their bytes do. */
  get free(): { readonly events: number; readonly bytes: boolean } {
    return { events: MOST_EVENTS - this.inFlight, bytes: this.#bytes <= MOST_BYTES / 2 }
  }

  /** Whether what can only wait has to leave. */
  get isFull(): boolean {
    const { events, bytes } = this.free
    return !bytes || events < MOST_PULLED
  }

  enter(delivery: Delivery): void {
    this.inFlight += 1
    this.#bytes += delivery.bytes
    delivery.earlySince = this.#early.get(delivery.aggregateId)
  }

  leave(delivery: Delivery, handled: boolean): void {
    this.inFlight -= 1
    this.#bytes -= delivery.bytes
    const { aggregateId, earlySince } = delivery
    if (handled) this.#early.delete(aggregateId)
    else if (earlySince !== undefined) this.#early.set(aggregateId, earlySince)
  }

  /** If there is none, those hand back their events that would only keep it. Early ones leave by themselves. */
  make(lanes: Iterable<Lane>): void {
    if (!this.isFull) return
    for (const lane of lanes) {
      if (lane.isExcused && lane.stuckMs > DEPENDENCY_MS) lane.postpone(0)
      else if (lane.stuckMs > STUCK_MS) lane.postpone(this.free.bytes ? STUCK_KEEPS : 1)
    }
  }
}
