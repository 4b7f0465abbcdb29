/** What was seen of a target, named as in {@link Limits}. */
export type Observation = 'success' | 'httpFailure' | 'tcpFailure' | 'timeout'

/** How many in a row change the state; 0 is never. */
export type Limits = Readonly<Record<Observation, number>>

/**
 * Whether a target is healthy, counted as Kong does: each kind of failure for itself; a success ends every row of failures,
 * and a failure the row of successes.
 */
export class HealthCounter {
  #healthy: boolean
  #counts = { success: 0, httpFailure: 0, tcpFailure: 0, timeout: 0 }

  constructor(healthy = true) {
    this.#healthy = healthy
  }

  get healthy(): boolean {
    return this.#healthy
  }

  /** Returns whether the state changed. */
  observe(what: Observation, limits: Limits): boolean {
    const limit = limits[what]
    if (limit === 0) return false
    const count = this.#counts[what] + 1
    if (what === 'success') this.#counts = { ...NONE, success: count }
    else this.#counts = { ...this.#counts, success: 0, [what]: count }
    return count >= limit && this.set(what === 'success')
  }

  /** Sets the state, and begins to count anew. Returns whether it changed. */
  set(healthy: boolean): boolean {
    const changed = healthy !== this.#healthy
    this.#healthy = healthy
    if (changed) this.#counts = { ...NONE }
    return changed
  }
}

const NONE = { success: 0, httpFailure: 0, tcpFailure: 0, timeout: 0 }
