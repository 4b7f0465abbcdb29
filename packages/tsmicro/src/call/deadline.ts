import { DEADLINE_EXCEEDED } from '../errors/index.ts'

/**
 * The time a call may take. `signal` aborts when it is over, or earlier when the caller goes away; its reason is what the
 * call then fails with. Dispose it as soon as the call has ended.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController()
  readonly #endsAt: number
  readonly #timer: NodeJS.Timeout

  /** @param budgetMs milliseconds from now */
  constructor(budgetMs: number) {
    this.#endsAt = performance.now() + budgetMs
    this.#timer = setTimeout(() => this.#controller.abort(new DEADLINE_EXCEEDED()), budgetMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Milliseconds left; 0 when it is over. */
  remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /** Ends the call early, e.g. because the client disconnected. */
  cancel(reason: Error): void {
    clearTimeout(this.#timer)
    this.#controller.abort(reason)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}

/** Why a call was cancelled when its caller went away. Never sent to anybody. */
export class CallerGoneError extends Error {
  constructor() {
    super('the caller went away')
    this.name = 'CallerGoneError'
  }
}
