/** Calls back when nothing was heard for a while. Refreshing is cheap: it is done for every chunk. */
export class IdleTimer {
  readonly #onIdle: () => void
  #timer: NodeJS.Timeout | undefined
  #ms = 0

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  /** Starts anew, counting `ms` milliseconds from now. */
  start(ms: number): void {
    if (this.#timer !== undefined && this.#ms === ms) {
      this.#timer.refresh()
      return
    }
    clearTimeout(this.#timer)
    this.#ms = ms
    this.#timer = setTimeout(this.#onIdle, ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
