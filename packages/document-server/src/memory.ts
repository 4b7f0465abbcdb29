import { type Doc, roughSize } from './bson/document.ts'
import { type ErrorName, fail } from './errors.ts'
import type { Pace } from './pace.ts'

/** The most bytes that a stage may hold at once, as in MongoDB. MongoDB goes on with files on disk, this server gives up. */
const defaultLimit = 100 * 1024 * 1024

/** Counts the bytes that a stage holds in memory. */
export class Memory {
  #bytes = 0
  readonly #what: string
  readonly #limit: number
  readonly #code: ErrorName

  constructor(what: string, limit = defaultLimit, code: ErrorName = 'QueryExceededMemoryLimitNoDiskUseAllowed') {
    this.#what = what
    this.#limit = limit
    this.#code = code
  }

  /** @throws CommandError above the limit */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limit) fail(`${this.#what} exceeded memory limit of ${this.#limit} bytes`, this.#code)
  }

  addValue(value: unknown): void {
    this.add(16 + roughSize(value, this.#limit))
  }
}

/** Collects all documents, within the memory limit. */
export async function collect(docs: AsyncIterable<Doc>, memory: Memory, pace: Pace): Promise<Doc[]> {
  const all: Doc[] = []
  for await (const doc of docs) {
    if (pace.needsPause()) await pace.pause()
    memory.addValue(doc)
    all.push(doc)
  }
  return all
}
