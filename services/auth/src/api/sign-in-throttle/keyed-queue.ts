import { OVERLOADED } from 'tsmicro'

const MAX_WAITING = 64

/** Runs the tasks of one key one at a time, in the order they came. Tasks of different keys run concurrently. */
export class KeyedQueue {
  readonly #waiting = new Map<string, (() => void)[]>()

  /**
   * @param signal ends the wait, but not a task that has started. Working for callers who have already left would delay the
   * others until they leave too, and the queue would never recover.
   * @throws {OVERLOADED} at once if too many are waiting; the signal's reason if it ended the wait
   */
  async run<T>(key: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const waiting = this.#waiting.get(key)
    if (!waiting) this.#waiting.set(key, [])
    else if (waiting.length >= MAX_WAITING) throw new OVERLOADED(undefined, { retryAfterSeconds: 1 })
    else await queued(waiting, signal)
    try {
      signal?.throwIfAborted()
      return await task()
    } finally {
      const next = this.#waiting.get(key)?.shift()
      if (next) next()
      else this.#waiting.delete(key)
    }
  }
}

/** Resolves when it is next; leaves the queue and rejects if the signal aborts first. */
function queued(waiting: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  return new Promise<void>((resolve, reject) => {
    const leave = () => {
      waiting.splice(waiting.indexOf(proceed), 1)
      reject(signal?.reason)
    }
    const proceed = () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    signal?.addEventListener('abort', leave, { once: true })
    waiting.push(proceed)
  })
}
