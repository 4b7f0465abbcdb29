import type { RegistryState } from './registry.ts'

/** For clocks that do not run equally fast, many times over. */
const MARGIN_MS = 100

interface Sighting {
  readonly beat: number
  readonly endsAt: number
}

/**
 * When the leases of others have surely ended, told by our own monotonic clock alone: the lease of a beat was granted
 * before we first saw the beat, so it is over when the lease's length has passed since. No clock has to agree with another
 * one's, and a database whose primary changes or sets its clock cannot end a lease too early.
 */
export class Sightings {
  readonly #seen = new Map<string, Sighting>()

  /** Takes in what the registry answered; `at` is when the answer was here. */
  take({ members }: RegistryState, at = performance.now()): void {
    for (const [id, { beat, leaseMs }] of members) {
      if (this.#seen.get(id)?.beat !== beat) this.#seen.set(id, { beat, endsAt: at + leaseMs + MARGIN_MS })
    }
    for (const id of this.#seen.keys()) if (!members.has(id)) this.#seen.delete(id)
  }

  /**
   * Whether a member of a state has ended, or can only renew in vain: the state has to be taken in, and was asked for at
   * `askedAt`. One that is out cannot renew, so there the time that has passed until now counts.
   */
  ended(id: string, state: RegistryState, askedAt: number): boolean {
    const member = state.members.get(id)
    if (member === undefined) return true
    const sighting = this.#seen.get(id)
    if (sighting === undefined || sighting.beat !== member.beat) return false
    return sighting.endsAt < (member.out ? performance.now() : askedAt)
  }
}
