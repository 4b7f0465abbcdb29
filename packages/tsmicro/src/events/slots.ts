/** Limits how much is done at the same time; whoever comes first goes first. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Takes a slot; returns undefined if one was free, so that the usual case costs no turn. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1
      return undefined
    }
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Lets all who wait go on without a slot. */
  clear(): void {
    for (const next of this.#waiting.splice(0)) next()
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free += 1
  }
}
