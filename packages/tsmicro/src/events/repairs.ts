import { REQUEST_ID } from '../call/index.ts'
import type { DeadLetter } from './dead-letters.ts'
import type { Durable } from './durable.ts'
import { decodeValue } from './headers.ts'

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

/** A dead letter as plain data. The event's own data stays where it is: it may be personal. */
interface ListedLetter extends Omit<DeadLetter, 'headers' | 'text' | 'fresh' | 'first'> {
  readonly consumer: string
  readonly type: string
  /** The service that has announced the event, and when it happened. */
  readonly source: string
  readonly announced: string
  readonly version: string
  readonly requestId: string
}

/** A part of a list. */
interface Page {
  /** Number in the stream of dead letters after which it begins. */
  readonly after?: number | undefined
  readonly limit?: number | undefined
}

/** What an operator does by hand. All of it can be repeated. */
export interface Repairs {
  /** Lists dead letters in the order in which they were kept. */
  dead(which: Which, page?: Page): Promise<readonly ListedLetter[]>
  /**
   * Handles dead letters again, each aggregate in its order. If one is named that is not parked, its skipped letters count.
   * @param goOn false = no further letter is handled
   */
  retry(which: Which, goOn?: () => boolean): Promise<readonly Repaired[]>
  /** No longer waits for the first dead letter of an aggregate, which stays in the stream, and handles those behind it. */
  skip(
    which: Which & { readonly aggregateId: string; readonly id?: string },
    goOn?: () => boolean,
  ): Promise<readonly Repaired[]>
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
      for await (const letter of lettersIn(durable, which)) {
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
    async dead(which, { after = 0, limit = Number.POSITIVE_INFINITY } = {}) {
      const listed: ListedLetter[] = []
      for (const durable of chosen(which)) {
        let count = 0
        for await (const letter of lettersIn(durable, which, after)) {
          listed.push(listedOf(durable, letter))
          count += 1
          if (count === limit) break
        }
      }
      return listed.sort((one, other) => one.sequence - other.sequence).slice(0, limit)
    },
    async retry(which, goOn) {
      const repaired: Repaired[] = []
      for await (const { durable, parked, skipped } of lettersOf(which)) {
        for (const id of parked) repaired.push(about(durable, id, await durable.mending.resume(id, true, goOn)))
        if (which.aggregateId === undefined || parked.length > 0) continue
        for (const letter of skipped)
          repaired.push(about(durable, which.aggregateId, await durable.mending.retrySkipped(letter)))
      }
      return repaired
    },
    async skip(which, goOn) {
      const repaired: Repaired[] = []
      for await (const { durable, parked } of lettersOf(which))
        for (const id of parked) repaired.push(about(durable, id, await durable.mending.skip(id, which.id, goOn)))
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

function lettersIn({ letters }: Durable, { aggregateId }: Which, after?: number): AsyncGenerator<DeadLetter> {
  return aggregateId === undefined ? letters.all(after) : letters.about(aggregateId, after)
}

function listedOf({ consumer, type }: Durable, letter: DeadLetter): ListedLetter {
  const { headers, text: _, fresh: __, first: ___, ...rest } = letter
  const attribute = (name: string) => decodeValue(headers[name] ?? '')
  return {
    consumer,
    type,
    ...rest,
    source: attribute('ce-source'),
    announced: attribute('ce-time'),
    version: attribute('ce-dataversion'),
    requestId: headers[REQUEST_ID] ?? '',
  }
}
