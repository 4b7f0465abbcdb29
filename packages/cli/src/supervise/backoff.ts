const FIRST_MS = 250
const LONGEST_MS = 10_000
const CALM_MS = 30_000

/** Delays between restarts: they double from 0.25 s up to 10 s, and begin again after half a minute without a crash. */
export class Backoff {
  #crashes = 0

  /** The delay after a run that lasted `upMs`, in milliseconds. */
  next(upMs: number): number {
    if (upMs >= CALM_MS) this.#crashes = 0
    return Math.min(FIRST_MS * 2 ** this.#crashes++, LONGEST_MS)
  }
}
