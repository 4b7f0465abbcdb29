import type { Mark, MarksByCache } from '../marks.ts'
import type { Stamp } from '../reach.ts'
import { Batch } from './batch.ts'
import { pause, within } from './wait.ts'

const RETRY_MS = 1000
/** What is on its way when the store closes mostly needs milliseconds; where it needs longer, somebody is gone. */
const CLOSE_MS = 1000

interface Departure {
  readonly batch: Batch
  readonly told: PromiseWithResolvers<Stamp | undefined>
}

/**
 * Sends invalidations on their way. Those of one turn of the event loop travel together: a change that ends three tags, or
 * ten changes at once, cost one question to the registry and one message. Those that failed are told of again and
 * again until they come through: their callers know that they failed, but others would serve what is old until its time ends.
 */
export class Announcer {
  readonly #tell: (marks: MarksByCache) => Promise<Stamp | undefined>
  readonly #closing = new AbortController()
  #next: Departure | undefined
  #unsettled = new Batch()
  readonly #underway = new Set<Promise<unknown>>()
  #retrying: Promise<void> | undefined

  constructor(tell: (marks: MarksByCache) => Promise<Stamp | undefined>) {
    this.#tell = tell
  }

  announce(cache: string, marks: readonly Mark[]): Promise<Stamp | undefined> {
    this.#next ??= this.#prepare()
    this.#next.batch.add(cache, marks)
    return this.#next.told.promise
  }

  /** Waits a second for what is on its way; nothing is told of anew. */
  async close(): Promise<void> {
    this.#closing.abort()
    await within(CLOSE_MS, 'the replicas', Promise.allSettled([...this.#underway])).catch(() => undefined)
  }

  #prepare(): Departure {
    const departure: Departure = { batch: new Batch(), told: Promise.withResolvers() }
    setImmediate(() => {
      this.#next = undefined
      void this.#depart(departure)
    })
    return departure
  }

  async #depart({ batch, told }: Departure): Promise<void> {
    try {
      told.resolve(await this.#send(batch))
    } catch (error) {
      this.#unsettled.addAll(batch.marks)
      this.#retrying ??= this.#retry(this.#closing.signal)
      told.reject(error)
    }
  }

  #send(batch: Batch): Promise<Stamp | undefined> {
    const telling = this.#tell(batch.marks)
    this.#underway.add(telling)
    return telling.finally(() => this.#underway.delete(telling))
  }

  async #retry(signal: AbortSignal): Promise<void> {
    while (this.#unsettled.size > 0) {
      await pause(RETRY_MS, signal)
      if (signal.aborted) break
      const batch = this.#unsettled
      this.#unsettled = new Batch()
      try {
        await this.#send(batch)
      } catch {
        this.#unsettled.addAll(batch.marks)
      }
    }
    this.#retrying = undefined
  }
}
