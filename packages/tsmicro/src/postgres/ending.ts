/** When a caller no longer waits. The `deadline` of a call is one, and costs less than its signal, which would be made for each. */
export interface Ending {
  /** Undefined as long as the caller waits. */
  readonly reason: unknown
  /** @throws the reason, once it has ended */
  throwIfEnded(): void
  /** Calls the listener once if it ends. Returns a function that removes the listener. */
  onEnd(listener: (reason: unknown) => void): () => void
}

export function endingOf(ending: AbortSignal | Ending): Ending {
  return 'onEnd' in ending ? ending : new SignalEnding(ending)
}

class SignalEnding implements Ending {
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  get reason(): unknown {
    return this.#signal.reason
  }

  throwIfEnded(): void {
    this.#signal.throwIfAborted()
  }

  onEnd(listener: (reason: unknown) => void): () => void {
    const abort = () => listener(this.#signal.reason)
    this.#signal.addEventListener('abort', abort)
    return () => this.#signal.removeEventListener('abort', abort)
  }
}
