import { EVERYTHING, type Mark, type MarksByCache } from '../marks.ts'

/** More than this is said shorter: everything in that cache. A message of NATS may have 1 MiB. */
const MOST_MARKS = 500
const MOST_CHARACTERS = 10_000

/** Marks that are to be forgotten together, without doubles. */
export class Batch {
  readonly #marks = new Map<string, Set<Mark>>()

  get size(): number {
    return this.#marks.size
  }

  add(cache: string, marks: readonly Mark[]): void {
    const known = this.#marks.get(cache) ?? new Set()
    for (const mark of marks) known.add(mark)
    this.#marks.set(cache, known)
  }

  addAll(marks: MarksByCache): void {
    for (const [cache, list] of marks) this.add(cache, list)
  }

  get marks(): MarksByCache {
    return new Map([...this.#marks].map(([cache, marks]) => [cache, shortened([...marks])]))
  }
}

function shortened(marks: readonly Mark[]): readonly Mark[] {
  const length = marks.reduce((sum, mark) => sum + mark.length, 0)
  return marks.length > MOST_MARKS || length > MOST_CHARACTERS ? [EVERYTHING] : marks
}
