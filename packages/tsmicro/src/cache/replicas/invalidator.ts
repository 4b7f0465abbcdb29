import { setTimeout as sleep } from 'node:timers/promises'
import type { Stamp } from '../coordinator.ts'
import { EVERYTHING, type Tag, type TagsByCache } from '../tags.ts'
import { answerWithin } from './servers.ts'

const RETRY_MS = 1000
/** Most invalidations in progress need milliseconds when the store closes; if they need longer, a server is gone. */
const CLOSE_MS = 1000
/** Longer lists are replaced by "everything in this cache". A message of NATS may have 1 MiB. */
const MOST_TAGS = 500
const MOST_CHARACTERS = 10_000

interface Pending {
  readonly batch: Batch
  readonly sent: PromiseWithResolvers<Stamp | undefined>
}

/**
 * Sends invalidations to the other replicas. Those of one turn of the event loop are sent together: a change that ends three
 * tags, or ten changes at once, cost one request to the registry and one message. Failed ones are repeated until they succeed:
 * their callers know about the failure, but other replicas would serve stale values until they expire.
 */
export class Invalidator {
  readonly #send: (tags: TagsByCache) => Promise<Stamp | undefined>
  readonly #closing = new AbortController()
  #next: Pending | undefined
  #failed = new Batch()
  readonly #inProgress = new Set<Promise<unknown>>()
  #retrying: Promise<void> | undefined

  constructor(send: (tags: TagsByCache) => Promise<Stamp | undefined>) {
    this.#send = send
  }

  invalidate(cache: string, tags: readonly Tag[]): Promise<Stamp | undefined> {
    this.#next ??= this.#schedule()
    this.#next.batch.add(cache, tags)
    return this.#next.sent.promise
  }

  /** Waits one second for invalidations in progress; failed ones are not repeated. */
  async close(): Promise<void> {
    this.#closing.abort()
    await answerWithin(CLOSE_MS, 'the replicas', Promise.allSettled([...this.#inProgress])).catch(() => undefined)
  }

  #schedule(): Pending {
    const pending: Pending = { batch: new Batch(), sent: Promise.withResolvers() }
    setImmediate(async () => {
      this.#next = undefined
      const { batch, sent } = pending
      try {
        sent.resolve(await this.#track(batch))
      } catch (error) {
        this.#failed.addAll(batch.tags)
        this.#retrying ??= this.#retry(this.#closing.signal)
        sent.reject(error)
      }
    })
    return pending
  }

  #track(batch: Batch): Promise<Stamp | undefined> {
    const sending = this.#send(batch.tags)
    this.#inProgress.add(sending)
    return sending.finally(() => this.#inProgress.delete(sending))
  }

  async #retry(signal: AbortSignal): Promise<void> {
    while (this.#failed.size > 0) {
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) break
      const batch = this.#failed
      this.#failed = new Batch()
      try {
        await this.#track(batch)
      } catch {
        this.#failed.addAll(batch.tags)
      }
    }
    this.#retrying = undefined
  }
}

/** Tags that are invalidated together, without duplicates. */
class Batch {
  readonly #tags = new Map<string, Set<Tag>>()

  get size(): number {
    return this.#tags.size
  }

  add(cache: string, tags: readonly Tag[]): void {
    const known = this.#tags.get(cache) ?? new Set()
    for (const tag of tags) known.add(tag)
    this.#tags.set(cache, known)
  }

  addAll(tags: TagsByCache): void {
    for (const [cache, list] of tags) this.add(cache, list)
  }

  get tags(): TagsByCache {
    return new Map([...this.#tags].map(([cache, tags]) => [cache, shortened([...tags])]))
  }
}

function shortened(tags: readonly Tag[]): readonly Tag[] {
  const length = tags.reduce((sum, tag) => sum + tag.length, 0)
  return tags.length > MOST_TAGS || length > MOST_CHARACTERS ? [EVERYTHING] : tags
}
