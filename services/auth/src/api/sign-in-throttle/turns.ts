import { OVERLOADED } from 'tsmicro'

const MAX_WAITING = 64

/** Runs the tasks of one key one after the other, first come first served; those of different keys side by side. */
export class Turns {
  readonly #waiting = new Map<string, (() => void)[]>()

  /**
   * @param signal ends the waiting, but not a task that has begun. Work for those who have left already would make the others
   * wait so long that they leave, too, and so on for ever.
   * @throws {OVERLOADED} at once when too many wait already; the signal's reason when it ended the waiting
   */
  async run<T>(key: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const waiting = this.#waiting.get(key)
    if (!waiting) this.#waiting.set(key, [])
    else if (waiting.length >= MAX_WAITING) throw new OVERLOADED(undefined, { retryAfterSeconds: 1 })
    else await turnIn(waiting, signal)
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

/** Resolves when its turn comes; leaves the queue and rejects when the signal comes first. */
function turnIn(waiting: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  return new Promise<void>((resolve, reject) => {
    const leave = () => {
      waiting.splice(waiting.indexOf(turn), 1)
      reject(signal?.reason)
    }
    const turn = () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    signal?.addEventListener('abort', leave, { once: true })
    waiting.push(turn)
  })
}
