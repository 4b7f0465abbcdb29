import { OVERLOADED } from '../../errors/index.ts'

/** Whose work it is, so that everybody gets a share. */
export interface WorkOptions {
  /** Kinds take turns: signing in waits for one sign-up at a time, however many there are. Default: one kind for all. */
  readonly kind?: string
  /** Within a kind, those who ask take turns, addresses for example. Default: one for all. */
  readonly by?: string
  /** Aborts when nobody waits for the result: work that has not begun is then skipped. */
  readonly signal?: AbortSignal | undefined
}

interface FairQueueOptions {
  /** Tasks at the same time. */
  readonly concurrency: number
  /** Tasks of one kind that may wait beyond that. */
  readonly maxQueued: number
}

interface WaitingTask {
  readonly by: string
  begin(): void
  refuse(): void
}

/**
 * Runs tasks with bounded concurrency and bounded queues. Kinds take turns, and so do those who ask within a kind: however many
 * tasks of one kind arrive, the others wait for one of them, not for all. A task whose caller has left is not run.
 */
export class FairQueue {
  readonly #options: FairQueueOptions
  readonly #kinds = new Map<string, WaitingLine>()
  #active = 0

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  /** @throws {OVERLOADED} if too many of its kind wait; the signal's reason if it aborts before the task begins */
  async run<T>(task: () => Promise<T>, { kind = '', by = '', signal }: WorkOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    if (this.#active >= this.#options.concurrency) await this.#wait(kind, by, signal)
    else this.#active++
    try {
      signal?.throwIfAborted()
      return await task()
    } finally {
      // The slot passes on without being free in between: a newcomer can't overtake those who wait.
      if (!this.#admitNext()) this.#active--
    }
  }

  #wait(kind: string, by: string, signal: AbortSignal | undefined): Promise<void> {
    const line = this.#kinds.get(kind) ?? new WaitingLine()
    // A line that was empty goes to the end of the order: it had its turn.
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, line)
    const { promise, resolve: begin, reject } = Promise.withResolvers<void>()
    const waiting = { by, begin, refuse: () => reject(new OVERLOADED(undefined, { retryAfterSeconds: 1 })) }
    const leave = () => {
      line.remove(waiting)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', leave, { once: true })
    line.add(waiting)
    if (line.size > this.#options.maxQueued) line.takeLastOfLongest()?.refuse()
    return promise.finally(() => signal?.removeEventListener('abort', leave))
  }

  /** The next task of the next kind, round-robin. */
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

/** The waiting tasks of one kind; those who ask take turns. */
class WaitingLine {
  /** In the order of their turns; nobody is listed without a waiting task. */
  readonly #askers = new Map<string, WaitingTask[]>()
  size = 0

  add(waiting: WaitingTask): void {
    const own = this.#askers.get(waiting.by)
    if (own) own.push(waiting)
    else this.#askers.set(waiting.by, [waiting])
    this.size++
  }

  remove(waiting: WaitingTask): void {
    const own = this.#askers.get(waiting.by)
    const index = own?.indexOf(waiting) ?? -1
    if (!own || index < 0) return
    own.splice(index, 1)
    this.size--
    if (own.length === 0) this.#askers.delete(waiting.by)
  }

  takeNext(): WaitingTask | undefined {
    const [first] = this.#askers
    if (!first) return undefined
    const [by, own] = first
    this.#askers.delete(by)
    if (own.length > 1) this.#askers.set(by, own)
    this.size--
    return own.shift()
  }

  /** The last task of whoever has the most waiting: a full line does not keep out those who ask for little. */
  takeLastOfLongest(): WaitingTask | undefined {
    let longest: WaitingTask[] = []
    for (const own of this.#askers.values()) if (own.length >= longest.length) longest = own
    const last = longest.at(-1)
    if (last) this.remove(last)
    return last
  }
}
