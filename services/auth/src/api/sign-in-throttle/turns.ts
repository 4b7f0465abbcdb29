import { OVERLOADED } from 'tsmicro'

const MAX_WAITING = 64

/** Runs the tasks of one key one after the other, first come first served; those of different keys side by side. */
export class Turns {
  readonly #waiting = new Map<string, (() => void)[]>()

  /** @throws {OVERLOADED} at once when too many wait already */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(key)
    if (!waiting) this.#waiting.set(key, [])
    else if (waiting.length >= MAX_WAITING) throw new OVERLOADED(undefined, { retryAfterSeconds: 1 })
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.get(key)?.shift()
      if (next) next()
      else this.#waiting.delete(key)
    }
  }
}
