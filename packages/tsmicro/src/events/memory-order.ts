import { Recent } from '../call/index.ts'
import type { Attempt, InboxKey } from '../stores/index.ts'
import { type Incoming, isNext, type Order, type Verdict } from './order.ts'

interface Row {
  /** The events from here to `last` were handled in this process. */
  start: number
  last: number
  /** Those after `last` may have been handled by the instance that was here before us. */
  open: boolean
}

const MOST_ROWS = 10_000

/**
 * The order of events with idempotent effects, in this process alone: only one instance at a time gets them. The first number that is seen
 * of an aggregate is the start, and what was delivered to another instance before may come late, as it is never taken for a duplicate.
 * What a replaced consumer has delivered comes again with all that was before it, and says nothing about how far that has come.
 */
export class MemoryOrder implements Order {
  readonly recorded = false
  readonly #of: Omit<InboxKey, 'aggregateId'>
  readonly #rows = new Recent<Row>(MOST_ROWS)
  /** From this number in the stream on, events were delivered to us first. */
  #since = Number.POSITIVE_INFINITY

  constructor(of: Omit<InboxKey, 'aggregateId'>) {
    this.#of = of
  }

  judge(event: Incoming): Verdict {
    const { aggregateId, number, sequence, fresh, replaced } = event
    if (replaced && number !== undefined) return 'duplicate'
    if (fresh && sequence < this.#since) this.#since = sequence
    const row = this.#rows.get(aggregateId)
    if (row === undefined || number === undefined) return 'next'
    if (number <= row.last) return number < row.start ? 'next' : 'duplicate'
    return row.open || isNext(event, row.last) ? 'next' : 'early'
  }

  stepOf({ aggregateId, number = 0 }: Incoming): Attempt {
    return { ...this.#of, aggregateId, from: this.#rows.get(aggregateId)?.last ?? 0, to: number }
  }

  moved({ aggregateId, number, sequence, replaced }: Incoming): void {
    if (number === undefined || replaced) return
    const row = this.#rows.get(aggregateId)
    if (row && number <= row.last) return
    const open = sequence < this.#since
    if (!row) this.#rows.set(aggregateId, { start: number, last: number, open })
    else {
      if (number !== row.last + 1) row.start = number
      row.last = number
      row.open = open
    }
  }

  async refresh(): Promise<void> {}

  forget(): void {}

  giveUp({ aggregateId }: Incoming): boolean {
    const row = this.#rows.get(aggregateId)
    if (row) row.open = true
    return true
  }

  missing({ aggregateId, number = 1 }: Incoming): readonly [number, number] {
    return [(this.#rows.get(aggregateId)?.last ?? 0) + 1, number - 1]
  }

  restart(): void {
    this.#rows.clear()
    this.#since = Number.POSITIVE_INFINITY
  }
}
