import type { Mark } from './marks.ts'

/** What a flight brings home: the value, and what can invalidate it. */
export interface Landed {
  readonly value: unknown
  readonly marks: readonly Mark[]
}

/** One fetch of one key, shared by all who want it meanwhile. */
export class Flight {
  /** Position in the order of things; see TagLog. */
  readonly began: number
  readonly #controller = new AbortController()
  readonly #onDeserted: (flight: Flight) => void
  #promise: Promise<Landed> | undefined
  #waiting = 0
  #stale = false

  constructor(began: number, onDeserted: (flight: Flight) => void) {
    this.began = began
    this.#onDeserted = onDeserted
  }

  /** Aborts when everyone who waited has gone. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** True once its key was invalidated, set or deserted: what it brings may be told to those who wait, but not kept. */
  get stale(): boolean {
    return this.#stale
  }

  get shared(): boolean {
    return this.#waiting > 1
  }

  depart(run: () => Promise<Landed>): void {
    this.#promise = run()
    // everyone may have gone by the time it fails
    this.#promise.catch(() => undefined)
  }

  markStale(): void {
    this.#stale = true
  }

  /** Waits for the landing, or until the caller's own signal; the others are not disturbed. */
  join(signal: AbortSignal | undefined): Promise<Landed> {
    const promise = this.#promise
    if (promise === undefined) throw new Error('the flight has not departed')
    this.#waiting++
    if (signal === undefined) return promise
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason)
        if (--this.#waiting === 0) this.#desert()
      }
      signal.addEventListener('abort', leave, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  #desert(): void {
    this.markStale()
    this.#onDeserted(this)
    this.#controller.abort(new DOMException('nobody waits for the value any more', 'AbortError'))
  }
}
