import type { Doc } from './bson/document.ts'
import { roughSize } from './bson/size.ts'
import { CommandError, type ErrorName } from './errors.ts'
import type { Pace } from './pace.ts'

/** Bytes that a stage may hold at once, as in MongoDB, which goes on with the disk where this server gives up. */
const mostHeld = 100 * 1024 * 1024

/** Counts what a stage holds. */
export class Held {
  #bytes = 0
  readonly #what: string
  readonly #most: number
  readonly #code: ErrorName

  constructor(what: string, most = mostHeld, code: ErrorName = 'QueryExceededMemoryLimitNoDiskUseAllowed') {
    this.#what = what
    this.#most = most
    this.#code = code
  }

  /** @throws CommandError when it becomes too much */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#most)
      throw new CommandError(this.#code, `${this.#what} exceeded memory limit of ${this.#most} bytes`)
  }

  addValue(value: unknown): void {
    this.add(16 + roughSize(value, this.#most))
  }
}

/** All documents at once, within the limit. */
export async function collect(docs: AsyncIterable<Doc>, held: Held, pace: Pace): Promise<Doc[]> {
  const all: Doc[] = []
  for await (const doc of docs) {
    if (pace.tick()) await pace.pause()
    held.addValue(doc)
    all.push(doc)
  }
  return all
}
