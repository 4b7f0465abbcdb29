import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { Memory } from '../memory.ts'
import type { Pace } from '../pace.ts'
import { type Path, parsePath, someValue } from './path.ts'

/** The relevance of the documents that a `$text` search found. */
export type Scores = WeakMap<Doc, number>

type Key = { readonly path: Path; readonly direction: 1 | -1 } | 'score'

/** Whether a value is `{ $meta: 'textScore' }`. @throws CommandError for other metadata */
export function isTextScore(value: unknown): boolean {
  if (!isDoc(value) || !Object.hasOwn(value, '$meta')) return false
  if (value.$meta !== 'textScore') fail(`$meta: '${String(value.$meta)}' is not supported, only 'textScore' is`)
  return true
}

export function scoreOf(doc: Doc, scores: Scores | undefined): number {
  const score = scores?.get(doc)
  if (score === undefined) fail('query requires text score metadata, but it is not available', 'Location40228')
  return score
}

/** @throws CommandError for an invalid direction */
function compileKeys(sort: Doc): Key[] {
  return Object.entries(sort).map(([name, value]): Key => {
    if (isTextScore(value)) return 'score'
    const direction = isNumeric(value) ? toNumber(value) : 0
    if (direction !== 1 && direction !== -1)
      fail(`Illegal key in $sort specification: ${name}: the direction must be 1, -1 or { $meta: 'textScore' }`)
    return { path: parsePath(name), direction }
  })
}

/** Compiles a sort document into a comparison. */
export function compileSort(sort: Doc, scores?: Scores): (a: Doc, b: Doc) => number {
  const keys = compileKeys(sort)
  return (a, b) => compareKeys(keys, sortValues(a, keys, scores), sortValues(b, keys, scores))
}

function compareKeys(keys: readonly Key[], a: readonly unknown[], b: readonly unknown[]): number {
  for (const [position, key] of keys.entries()) {
    const order = compareValues(a[position], b[position])
    if (order !== 0) return key === 'score' ? -order : key.direction * order
  }
  return 0
}

const sortValues = (doc: Doc, keys: readonly Key[], scores: Scores | undefined): unknown[] =>
  keys.map(key => (key === 'score' ? scoreOf(doc, scores) : sortValue(doc, key)))

/** The value that a document is sorted by. An array sorts by its smallest element (the largest if descending), an empty one before null. */
function sortValue(doc: Doc, { path, direction }: { path: Path; direction: 1 | -1 }): unknown {
  let best: unknown
  let found = false
  someValue(doc, path, false, value => {
    for (const candidate of Array.isArray(value) && value.length > 0 ? value : [value]) {
      if (!found || compareValues(candidate, best) * direction < 0) best = candidate
      found = true
    }
    return false
  })
  return Array.isArray(best) && best.length === 0 ? undefined : best
}

/** Checks a sort document. @throws CommandError for an invalid direction */
export const checkSort = (sort: Doc): void => void compileKeys(sort)

export interface SortOptions<T> {
  readonly pace: Pace
  readonly doc: (item: T) => Doc
  readonly size: (item: T) => number
  readonly scores?: Scores | undefined
  /** How many of the first items are needed. Default all. */
  readonly limit?: number
}

/** Sorts items by a sort document. Without any order in it, the items stay as they are, and lazy. */
export function sorted<T>(items: AsyncIterable<T>, sort: Doc, options: SortOptions<T>): AsyncIterable<T> {
  const natural = sort.$natural
  if (natural !== undefined) return isNumeric(natural) && toNumber(natural) < 0 ? reversed(items, options) : items
  const keys = compileKeys(sort)
  return keys.length === 0 ? items : byKeys(items, keys, options)
}

async function* reversed<T>(items: AsyncIterable<T>, { size }: SortOptions<T>): AsyncGenerator<T> {
  const memory = new Memory('Sort')
  const all: T[] = []
  for await (const item of items) {
    memory.add(size(item))
    all.push(item)
  }
  yield* all.reverse()
}

/** An item with the values that it is sorted by, which are looked up only once. */
interface Keyed<T> {
  readonly item: T
  readonly values: readonly unknown[]
}

async function* byKeys<T>(
  items: AsyncIterable<T>,
  keys: readonly Key[],
  { pace, doc, size, scores, limit = Number.POSITIVE_INFINITY }: SortOptions<T>,
): AsyncGenerator<T> {
  const compare = (a: Keyed<T>, b: Keyed<T>): number => compareKeys(keys, a.values, b.values)
  let memory = new Memory('Sort')
  let kept: Keyed<T>[] = []
  for await (const item of items) {
    if (pace.needsPause()) await pace.pause()
    memory.add(size(item))
    kept.push({ item, values: sortValues(doc(item), keys, scores) })
    if (kept.length < 2 * limit + 1000) continue
    kept = (await mergeSort(kept, compare, pace)).slice(0, limit)
    memory = new Memory('Sort')
    for (const { item } of kept) memory.add(size(item))
  }
  for (const { item } of await mergeSort(kept, compare, pace)) yield item
}

/** How many items are sorted without a pause. */
const runLength = 1024

/** A stable sort that lets other commands run meanwhile. It may change the given array. */
async function mergeSort<T>(items: T[], compare: (a: T, b: T) => number, pace: Pace): Promise<T[]> {
  if (items.length <= runLength) return items.sort(compare)
  let runs: T[][] = []
  for (let at = 0; at < items.length; at += runLength) {
    if (pace.needsPause()) await pace.pause()
    runs.push(items.slice(at, at + runLength).sort(compare))
  }
  while (runs.length > 1) {
    const merged: T[][] = []
    for (let at = 0; at < runs.length; at += 2)
      merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], compare, pace))
    runs = merged
  }
  return runs[0] ?? []
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  pace: Pace,
): Promise<T[]> {
  const result: T[] = []
  let [l, r] = [0, 0]
  while (l < left.length && r < right.length) {
    if (result.length % runLength === 0 && pace.needsPause()) await pace.pause()
    const [a, b] = [left[l] as T, right[r] as T]
    if (compare(a, b) <= 0) {
      result.push(a)
      l++
    } else {
      result.push(b)
      r++
    }
  }
  for (; l < left.length; l++) result.push(left[l] as T)
  for (; r < right.length; r++) result.push(right[r] as T)
  return result
}
