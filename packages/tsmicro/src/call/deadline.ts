import { DEADLINE_EXCEEDED, rootMessage } from '../errors/index.ts'
import { Expiring, expireIn, forget } from './expiry.ts'

/** The longest time that setTimeout accepts, 24.8 days: a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1000

type Listener = (reason: Error) => void

/**
 * The time a call may take. A deadline ends when the time is over, or earlier if the caller leaves; the call then fails with its
 * reason. Dispose it as soon as the call has been answered: from then on it limits nothing, neither the work that continues after the
 * answer nor the calls of that work. If it ended before, it stays ended, because nobody wants that work.
 *
 * `signal` is made on demand: an AbortController and its listeners cost more than all other bookkeeping of a call, and most handlers
 * never use it.
 */
export class Deadline extends Expiring implements Disposable {
  #endsAt: number
  #armed: boolean
  #pausedMs: number | undefined
  #answered = false
  #reason: Error | undefined
  #controller: AbortController | undefined
  #listeners: Set<Listener> | undefined
  #late: (() => Error) | undefined

  /**
   * @param budgetMs milliseconds from now
   * @param armed false for work that may end at once: until {@link arm}, the end of the time goes unnoticed
   * @throws {RangeError} for NaN, which a missing setting produces
   */
  constructor(budgetMs: number, armed = true) {
    super()
    if (Number.isNaN(budgetMs)) throw new RangeError('the time of a call must be a number of milliseconds')
    const ms = Math.min(budgetMs, LONGEST_MS)
    this.#endsAt = performance.now() + ms
    this.#armed = armed
    if (armed) expireIn(ms, this)
  }

  /** The work has not ended at once. */
  arm(): void {
    if (this.#armed) return
    this.#armed = true
    if (!this.#reason && !this.#answered && this.#pausedMs === undefined) expireIn(this.remainingMs(), this)
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Milliseconds left; 0 after the end, Infinity once the call has been answered. */
  remainingMs(): number {
    if (this.#answered) return this.#reason ? 0 : Number.POSITIVE_INFINITY
    return this.#pausedMs ?? Math.max(0, this.#endsAt - performance.now())
  }

  /** Why it has ended; undefined as long as it has not. */
  get reason(): Error | undefined {
    return this.#reason
  }

  /** @throws the reason, once it has ended */
  throwIfEnded(): void {
    if (this.#reason) throw this.#reason
  }

  /** Calls the listener once if the deadline ends. Returns a function that removes the listener. */
  onEnd(listener: Listener): () => void {
    if (this.#answered) return () => {}
    this.#listeners ??= new Set()
    const listeners = this.#listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** Returns what is there at once. Otherwise arms the deadline, and settles as the work does or as {@link race}. */
  limit<T>(work: T | PromiseLike<T>): T | Promise<T> {
    if (!isThenable(work)) return work
    this.arm()
    return this.race(work)
  }

  /** Settles as the work does, or rejects with the reason as soon as the deadline ends: for work that ignores the signal. */
  race<T>(work: PromiseLike<T>): Promise<T> {
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
  pause(): undefined {
    if (this.#reason || this.#answered || this.#pausedMs !== undefined) return
    this.#pausedMs = this.remainingMs()
    forget(this)
  }

  resume(): void {
    if (this.#pausedMs === undefined) return
    this.#endsAt = performance.now() + this.#pausedMs
    if (this.#armed && !this.#reason && !this.#answered) expireIn(this.#pausedMs, this)
    this.#pausedMs = undefined
  }

  /** Gives the call another time from now on, and another reason when it is over, e.g. a stream's once it is open. */
  restart(budgetMs: number, late: () => Error): void {
    if (this.#reason || this.#answered) return
    forget(this)
    this.#armed = true
    this.#pausedMs = undefined
    this.#late = late
    const ms = Math.min(budgetMs, LONGEST_MS)
    this.#endsAt = performance.now() + ms
    expireIn(ms, this)
  }

  /** Ends the call early, e.g. because its client disconnected. */
  cancel(reason: Error): void {
    if (this.#reason || this.#answered) return
    forget(this)
    this.#reason = reason
    this.#controller?.abort(reason)
    for (const listener of this.#listeners ?? []) {
      try {
        listener(reason)
      } catch (error) {
        // One listener must not stop the others or end the process: this runs in a timer, or while a socket closes.
        process.emitWarning(`a listener of a call's end failed: ${rootMessage(error)}`)
      }
    }
    this.#listeners = undefined
  }

  expire(): void {
    this.cancel(this.#late?.() ?? new DEADLINE_EXCEEDED())
  }

  /** Safe to call twice. */
  [Symbol.dispose](): void {
    this.#answered = true
    forget(this)
    this.#listeners = undefined
  }
}

/** True also for a query builder, which starts when it is awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const may = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return may && 'then' in value && typeof value.then === 'function'
}

/** The reason of a call that was cancelled because its caller left. Never sent to anybody. */
export class CallerGoneError extends Error {
  constructor() {
    super('the caller went away')
    this.name = 'CallerGoneError'
  }
}
