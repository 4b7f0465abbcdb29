import { DEADLINE_EXCEEDED, rootMessage } from '../errors/index.ts'
import { Expiring, expireIn, forget } from './expiry.ts'

/** setTimeout takes no more (it would fire at once): 24.8 days. */
const LONGEST_MS = 2 ** 31 - 1000

type Listener = (reason: Error) => void

/**
 * The time a call may take. It ends when the time is over, or earlier when the caller goes away; the reason is what the
 * call then fails with. Dispose it as soon as the call has been answered: from then on it bounds nothing, neither the work that
 * goes on behind the answer nor what that calls. One that ended before stays ended: nobody wants that work.
 *
 * `signal` is made when somebody asks for it: an AbortController and its listeners cost more than the rest of a call's
 * bookkeeping together, and most handlers never look at it.
 */
export class Deadline extends Expiring implements Disposable {
  #endsAt: number
  #pausedMs: number | undefined
  #answered = false
  #reason: Error | undefined
  #controller: AbortController | undefined
  #listeners: Set<Listener> | undefined

  /** @param budgetMs milliseconds from now. @throws {RangeError} when it is NaN, such as a setting that is not there */
  constructor(budgetMs: number) {
    super()
    if (Number.isNaN(budgetMs)) throw new RangeError('the time of a call must be a number of milliseconds')
    const ms = Math.min(budgetMs, LONGEST_MS)
    this.#endsAt = performance.now() + ms
    expireIn(ms, this)
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Milliseconds left; 0 when it is over, Infinity once the call has been answered. */
  remainingMs(): number {
    if (this.#answered) return this.#reason ? 0 : Number.POSITIVE_INFINITY
    return this.#pausedMs ?? Math.max(0, this.#endsAt - performance.now())
  }

  /** @throws the reason, once it has ended */
  throwIfEnded(): void {
    if (this.#reason) throw this.#reason
  }

  /** Calls back once if it ends. Returns a function that takes the listener away. */
  onEnd(listener: Listener): () => void {
    if (this.#answered) return () => {}
    this.#listeners ??= new Set()
    const listeners = this.#listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** The outcome of some work, or the reason as soon as it ends, for work that does not listen to the signal. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#reason) reject(this.#reason)
      this.#listeners ??= new Set()
      const listeners = this.#listeners.add(reject)
      work.then(
        value => {
          listeners.delete(reject)
          resolve(value)
        },
        error => {
          listeners.delete(reject)
          reject(error)
        },
      )
    })
  }

  /** Stops the clock, e.g. while a slow client sends its body. */
  pause(): void {
    if (this.#reason || this.#answered || this.#pausedMs !== undefined) return
    this.#pausedMs = this.remainingMs()
    forget(this)
  }

  resume(): void {
    if (this.#pausedMs === undefined) return
    this.#endsAt = performance.now() + this.#pausedMs
    if (!this.#reason && !this.#answered) expireIn(this.#pausedMs, this)
    this.#pausedMs = undefined
  }

  /** Ends the call early, e.g. because the client disconnected. */
  cancel(reason: Error): void {
    if (this.#reason || this.#answered) return
    forget(this)
    this.#reason = reason
    this.#controller?.abort(reason)
    for (const listener of this.#listeners ?? []) {
      try {
        listener(reason)
      } catch (error) {
        // It must neither keep the others waiting nor end the process: this runs in a timer, or where a socket closes.
        process.emitWarning(`a listener of a call's end failed: ${rootMessage(error)}`)
      }
    }
    this.#listeners = undefined
  }

  expire(): void {
    this.cancel(new DEADLINE_EXCEEDED())
  }

  /** Safe to call twice. */
  [Symbol.dispose](): void {
    this.#answered = true
    forget(this)
    this.#listeners = undefined
  }
}

/** Why a call was cancelled when its caller went away. Never sent to anybody. */
export class CallerGoneError extends Error {
  constructor() {
    super('the caller went away')
    this.name = 'CallerGoneError'
  }
}
