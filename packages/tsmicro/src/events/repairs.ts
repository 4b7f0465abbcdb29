import type { DeadLetter } from './dead-letters.ts'
import type { Durable } from './durable.ts'

/** Which dead letters, or consumers. What is left out is not asked for. */
interface Which {
  /** Name of the handlers. */
  readonly name?: string | undefined
  /** First token of the subjects. */
  readonly type?: string | undefined
  readonly aggregateId?: string | undefined
}

/** What became of the dead letters of an aggregate. */
interface Repaired {
  readonly consumer: string
  readonly type: string
  readonly aggregateId: string
  /** Why it is still parked; undefined if it is not. */
  readonly error: string | undefined
}

/** A dead letter as plain data. */
interface ListedLetter extends Omit<DeadLetter, 'headers' | 'text' | 'fresh' | 'first'> {
  readonly consumer: string
  readonly type: string
}

/** What an operator does by hand. All of it can be repeated. */
export interface Repairs {
  /** Lists dead letters, the oldest first. */
  dead(which: Which): Promise<readonly ListedLetter[]>
  /** Handles dead letters again, each aggregate in its order. A skipped one counts as well if the aggregate is named. */
  retry(which: Which): Promise<readonly Repaired[]>
  /** No longer waits for the first dead letter of an aggregate, which stays in the stream, and handles those behind it. */
  skip(which: Which & { readonly aggregateId: string }): Promise<readonly Repaired[]>
  /** Gets the events since a time again. What is recorded as handled stays as it is: idempotent handlers do all of it again. */
  replay(which: Which, since: Date): Promise<void>
  /** Forgets how far the handlers of a name have come, and gets all events again. */
  rebuild(which: Pick<Which, 'name'>): Promise<void>
}

export function repairsOf(all: readonly Durable[]): Repairs {
  const chosen = ({ name, type }: Which) =>
    all.filter(each => (name === undefined || each.name === name) && (type === undefined || each.type === type))

  /** The aggregates with dead letters, and those that were skipped. */
  async function* lettersOf(which: Which) {
    for (const durable of chosen(which)) {
      const parked = new Set<string>()
      const skipped: DeadLetter[] = []
      for await (const letter of durable.letters.all()) {
        if (which.aggregateId !== undefined && letter.aggregateId !== which.aggregateId) continue
        if (letter.skipped) skipped.push(letter)
        else parked.add(letter.aggregateId)
      }
      yield { durable, parked: [...parked], skipped }
    }
  }

  function about({ consumer, type }: Durable, aggregateId: string, error: string | undefined): Repaired {
    return { consumer, type, aggregateId, error }
  }

  return {
    async dead(which) {
      const listed: ListedLetter[] = []
      for (const durable of chosen(which)) {
        const { consumer, type } = durable
        for await (const { headers: _, text: __, fresh: ___, first: ____, ...letter } of durable.letters.all())
          if (which.aggregateId === undefined || which.aggregateId === letter.aggregateId)
            listed.push({ consumer, type, ...letter })
      }
      return listed
    },
    async retry(which) {
      const repaired: Repaired[] = []
      for await (const { durable, parked, skipped } of lettersOf(which)) {
        for (const id of parked) repaired.push(about(durable, id, await durable.mending.resume(id, true)))
        if (which.aggregateId === undefined) continue
        for (const letter of skipped)
          repaired.push(about(durable, which.aggregateId, await durable.mending.retrySkipped(letter)))
      }
      return repaired
    },
    async skip(which) {
      const repaired: Repaired[] = []
      for await (const { durable, parked } of lettersOf(which))
        for (const id of parked) repaired.push(about(durable, id, await durable.mending.skip(id)))
      return repaired
    },
    async replay(which, since) {
      for (const durable of chosen(which)) await durable.rewind(since)
    },
    async rebuild(which) {
      const durables = chosen(which)
      for (const durable of durables) await durable.reset()
      // Another instance may have made a consumer meanwhile, and taken events for duplicates.
      for (const durable of durables) await durable.rewind()
    },
  }
}
