/** Longer than a verdict can be remembered (an hour) and a verification can last. */
const KEPT_MS = 3_700_000

/**
 * API keys that were revoked, by id. Revoking is for ever, so nothing has to be taken back: whatever a verifier says of such a key,
 * be it remembered, on its way or an old replica's, is no yes any more. Kept until nobody can remember a yes.
 */
export class Revocations {
  /** When each was heard of, oldest first. */
  readonly #ids = new Map<string, number>()
  readonly #now: () => number

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  add(id: string): void {
    this.#forgetOld()
    this.#ids.delete(id)
    this.#ids.set(id, this.#now())
  }

  has(id: string): boolean {
    return this.#ids.size > 0 && this.#ids.has(id)
  }

  get size(): number {
    return this.#ids.size
  }

  #forgetOld(): void {
    const oldest = this.#now() - KEPT_MS
    for (const [id, at] of this.#ids) {
      if (at > oldest) return
      this.#ids.delete(id)
    }
  }
}
