import type { Tag } from './tags.ts'

/** The result of a fetch: the value in the form of its cache, and the tags that can invalidate it. */
export interface Fetched {
  readonly kept: unknown
  readonly tags: readonly Tag[]
}

/** One fetch of a key, shared by all callers who want the value in the meantime. */
export class SharedFetch {
  /** The number of its beginning; see `TagLog`. */
  readonly began: number
  /**
   * True once its key was invalidated or set, or all callers have left: those who wait may get the value, but it is not kept.
   */
  stale = false
  readonly #controller = new AbortController()
  readonly #onAbandoned: (fetch: SharedFetch) => void
  #promise: Promise<Fetched> | undefined
  #waiting = 0

  constructor(began: number, onAbandoned: (fetch: SharedFetch) => void) {
    this.began = began
    this.#onAbandoned = onAbandoned
  }

  /** Aborts when every caller has left. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  start(run: () => Promise<Fetched>): void {
    this.#promise = run()
    // Every caller may have left by the time it fails.
    this.#promise.catch(() => undefined)
  }

  /** Waits for the result, or until the caller's own signal aborts; the other callers are not affected. */
  join(signal: AbortSignal | undefined): Promise<Fetched> {
    const promise = this.#promise
    if (promise === undefined) throw new Error('the fetch has not started')
    this.#waiting++
    if (signal === undefined) return promise
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason)
        if (--this.#waiting === 0) this.#abandon()
      }
      signal.addEventListener('abort', leave, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  #abandon(): void {
    this.stale = true
    this.#onAbandoned(this)
    this.#controller.abort(new DOMException('nobody waits for the value', 'AbortError'))
  }
}
