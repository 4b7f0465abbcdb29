import { OVERLOADED } from '../../errors/index.ts'
import { WaitingLine, type WorkOptions } from './waiting-line.ts'

export interface TurnsOptions {
  /** Tasks at a time. */
  readonly concurrency: number
  /** Tasks of one kind that may wait beyond that. */
  readonly maxQueued: number
}

/**
 * Runs tasks, at most so many at a time, with queues that have an end. Kinds take turns, and within a kind those who ask:
 * however much of one comes, the others wait for one task of it, not for all. A task whose caller has left is not run.
 */
export class FairTurns {
  readonly #options: TurnsOptions
  readonly #kinds = new Map<string, WaitingLine>()
  #active = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** @throws {OVERLOADED} when too many of its kind wait; the signal's reason when it aborts before the task begins */
  async run<T>(task: () => Promise<T>, { kind = '', by = '', signal }: WorkOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    if (this.#active >= this.#options.concurrency) await this.#turn(kind, by, signal)
    else this.#active++
    try {
      signal?.throwIfAborted()
      return await task()
    } finally {
      // The place passes on without being free in between: a newcomer can't overtake who waits.
      if (!this.#admitNext()) this.#active--
    }
  }

  #turn(kind: string, by: string, signal: AbortSignal | undefined): Promise<void> {
    const line = this.#kinds.get(kind) ?? new WaitingLine()
    // A line that was empty is at the end of the round: it had its turn.
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, line)
    return new Promise((resolve, reject) => {
      const leave = () => {
        line.remove(waiting)
        reject(signal?.reason)
      }
      const waiting = {
        by,
        begin: () => {
          signal?.removeEventListener('abort', leave)
          resolve()
        },
        refuse: () => {
          signal?.removeEventListener('abort', leave)
          reject(new OVERLOADED(undefined, { retryAfterSeconds: 1 }))
        },
      }
      signal?.addEventListener('abort', leave, { once: true })
      line.add(waiting)
      if (line.size > this.#options.maxQueued) line.takeLastOfMost()?.refuse()
    })
  }

  /** The next kind's next, round and round. */
  #admitNext(): boolean {
    for (const [kind, line] of this.#kinds) {
      this.#kinds.delete(kind)
      const next = line.takeNext()
      if (line.size > 0) this.#kinds.set(kind, line)
      if (!next) continue
      next.begin()
      return true
    }
    return false
  }
}
