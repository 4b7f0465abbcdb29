import { AlreadyHandledError, type Attempt } from '../stores/index.ts'

/** A row of the inbox. */
export interface InboxRow {
  readonly _id: string
  readonly consumer: string
  readonly type: string
  readonly aggregateId: string
  readonly number: number
  /** Absent for one that was not used for long. */
  readonly usedAt?: Date
  /** How often the consumer was reset. Marks in documents from before do not count. */
  readonly generation: number
}

/** More than an aggregate has events, so that a mark tells its generation and number in one comparison. */
const GENERATION = 2 ** 36

/** What a document carries of an event that has changed it. */
const markOf = (generation: number, number: number): number => generation * GENERATION + number

const running = new WeakMap<object, RunningAttempt>()

/** The attempt that an event stands for. @throws {TypeError} for any other object */
export function attemptOf(event: object): RunningAttempt {
  const attempt = running.get(event)
  if (attempt) return attempt
  throw new TypeError(
    "this is not the event of a handler with the effect 'mongodb', as in on(event, { name, effect: 'mongodb' }, …)",
  )
}

/** What a document gets when an event changes it. */
export interface Mark {
  readonly key: string
  readonly value: number
}

/** An attempt to handle an event, from `begin` to `end`. */
export class RunningAttempt {
  readonly attempt: Attempt
  readonly #row: () => Promise<InboxRow>
  readonly #writes = new Set<Promise<unknown>>()
  readonly #documents = new Set<string>()
  #recorded = false
  #ended = false

  constructor(event: object, attempt: Attempt, row: () => Promise<InboxRow>) {
    this.attempt = attempt
    this.#row = row
    running.set(event, this)
  }

  record(): void {
    this.#assertRunning()
    this.#recorded = true
  }

  /** Changes a document for the event. The end of the attempt waits for it. */
  async write<T>(document: string, write: (mark: Mark | undefined) => Promise<T>): Promise<T> {
    const done = this.#write(document, write)
    this.#writes.add(done)
    try {
      return await done
    } finally {
      this.#writes.delete(done)
    }
  }

  /** @returns whether the effect was recorded */
  async end(): Promise<boolean> {
    this.#ended = true
    await Promise.allSettled(this.#writes)
    return this.#recorded
  }

  async #write<T>(document: string, write: (mark: Mark | undefined) => Promise<T>): Promise<T> {
    this.#assertRunning()
    if (this.#documents.has(document))
      throw new TypeError(`the event has changed ${document} already: do both in one update`)
    this.#documents.add(document)
    let result: T | undefined
    try {
      result = await write(await this.#mark())
      this.#recorded = true
      return result
    } finally {
      // It carries no mark, as far as is known: another write may still change it.
      if (result === undefined || result === 'unmatched') this.#documents.delete(document)
    }
  }

  async #mark(): Promise<Mark | undefined> {
    const { from, to } = this.attempt
    // Without a number, nobody can say whether the document has been changed for the event.
    if (from === to) return undefined
    const { _id, number, generation } = await this.#row()
    if (number !== from || from > to) throw new AlreadyHandledError(this.attempt)
    this.#assertRunning()
    return { key: _id, value: markOf(generation, to) }
  }

  #assertRunning(): void {
    if (this.#ended) throw new AlreadyHandledError(this.attempt)
  }
}
