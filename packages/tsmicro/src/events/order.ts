import { Recent } from '../call/index.ts'
import type { Attempt, InboxKey, InboxStore } from '../stores/index.ts'
import type { Place, SentHeaders } from './headers.ts'

/** An event as it came, from its stream or from the dead letters. */
export interface Incoming extends Place {
  readonly subject: string
  readonly headers: SentHeaders
  /** Its number in the stream, or in that of the dead letters. */
  readonly sequence: number
  /** Whether its stream has delivered it to us alone so far. */
  readonly fresh: boolean
  /** Whether its consumer was replaced since: then it comes again. */
  readonly replaced?: boolean
  text(): string
}

/** `early`: another event of the aggregate has to come before it. */
export type Verdict = 'next' | 'duplicate' | 'early'

/** How far a consumer has come with each aggregate of a type. */
export interface Order {
  /** Whether it is kept in a database. */
  readonly recorded: boolean
  /** Whether it is an event's turn. Rejects if the database cannot answer. */
  judge(event: Incoming): Verdict | Promise<Verdict>
  /** What handling an event means for the record. */
  stepOf(event: Incoming): Attempt
  /** The event has been handled. */
  moved(event: Incoming): void
  /** Another instance may have come further. Rejects if the database cannot answer. */
  refresh(aggregateId: string): Promise<unknown>
  /** What is known about an aggregate turned out to be wrong. */
  forget(aggregateId: string): void
  /** Those before this event do not come. Returns whether it may be handled without them. */
  giveUp(event: Incoming): boolean
  /** The numbers that an early event lacks, first and last. */
  missing(event: Incoming): readonly [number, number]
  /** The stream begins from the start for this process. */
  restart(): void
}

/** Aggregates whose number is remembered. A forgotten one is read again. */
const MOST_KNOWN = 10_000
const MOST_READ = 500

export function isNext({ number = 0, first }: Place, row: number): boolean {
  return number === row + 1 || (number > row && number <= first)
}

/** The order recorded in a database. Numbers only grow, except for a rebuild: what is remembered is only trusted where the record is checked. */
export class StoredOrder implements Order {
  readonly recorded = true
  readonly #inbox: InboxStore
  readonly #of: Omit<InboxKey, 'aggregateId'>
  readonly #known = new Recent<number>(MOST_KNOWN)
  #asked = new Map<string, PromiseWithResolvers<number>>()
  #reading = false

  constructor(inbox: InboxStore, of: Omit<InboxKey, 'aggregateId'>) {
    this.#inbox = inbox
    this.#of = of
  }

  judge(event: Incoming): Verdict | Promise<Verdict> {
    const { aggregateId, number } = event
    const known = this.#known.get(aggregateId)
    if (known !== undefined && (number === undefined || isNext(event, known))) return 'next'
    return this.#read(aggregateId).then(row => {
      if (number === undefined || isNext(event, row)) return 'next'
      return number <= row ? 'duplicate' : 'early'
    })
  }

  stepOf({ aggregateId, number }: Incoming): Attempt {
    const known = this.#known.get(aggregateId) ?? 0
    // Since it was judged, another instance may have handled it and more: then this step must fail, and take no number back.
    const from = number === undefined ? known : Math.min(known, number - 1)
    return { ...this.#of, aggregateId, from, to: number ?? from }
  }

  moved({ aggregateId, number }: Incoming): void {
    if (number !== undefined) this.#known.set(aggregateId, number)
  }

  refresh(aggregateId: string): Promise<unknown> {
    return this.#read(aggregateId)
  }

  forget(aggregateId: string): void {
    this.#known.delete(aggregateId)
  }

  giveUp(): boolean {
    return false
  }

  missing({ aggregateId, number = 1 }: Incoming): readonly [number, number] {
    return [(this.#known.get(aggregateId) ?? 0) + 1, number - 1]
  }

  restart(): void {
    this.#known.clear()
  }

  /**
   * Those who ask in the same turn share a query, as do those who ask while one is under way: events that wait for their turn must not take
   * the connections that handlers need.
   */
  #read(aggregateId: string): Promise<number> {
    const asked = this.#asked.get(aggregateId)
    if (asked) return asked.promise
    if (this.#asked.size === 0 && !this.#reading) setImmediate(() => void this.#readAsked())
    const row = Promise.withResolvers<number>()
    this.#asked.set(aggregateId, row)
    return row.promise
  }

  async #readAsked(): Promise<void> {
    this.#reading = true
    const asked = [...this.#asked]
    this.#asked = new Map()
    for (let at = 0; at < asked.length; at += MOST_READ) {
      const some = asked.slice(at, at + MOST_READ)
      try {
        const rows = await this.#inbox.read(some.map(([aggregateId]) => ({ ...this.#of, aggregateId })))
        for (const [index, [aggregateId, { resolve }]] of some.entries()) {
          const row = rows[index] ?? 0
          this.#known.set(aggregateId, row)
          resolve(row)
        }
      } catch (error) {
        for (const [, { reject }] of some) reject(error)
      }
    }
    this.#reading = false
    if (this.#asked.size > 0) void this.#readAsked()
  }
}
