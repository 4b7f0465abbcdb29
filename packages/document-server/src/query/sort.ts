import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, sign, toNumber } from '../bson/numbers.ts'
import { typeOrder } from '../bson/types.ts'
import { type ErrorName, fail } from '../errors.ts'
import { Memory } from '../memory.ts'
import type { Pace } from '../pace.ts'
import { fieldPath, type Path, someValue } from './path.ts'

/** The relevance of the documents that a `$text` search found. */
export type Scores = WeakMap<Doc, number>

type Key = { readonly path: Path; readonly direction: 1 | -1 } | 'score'

/** Whether a value is `{ $meta: 'textScore' }`. */
export const isTextScore = (value: unknown): boolean => isDoc(value) && value.$meta === 'textScore'

export function scoreOf(doc: Doc, scores: Scores | undefined): number {
  const score = scores?.get(doc)
  if (score === undefined) fail('query requires text score metadata, but it is not available', 'Location40218')
  return score
}

/** @throws CommandError for an invalid direction */
function compileKeys(sort: Doc): Key[] {
  return Object.entries(sort).map(([name, value]): Key => {
    if (isTextScore(value)) return 'score'
    if (!isNumeric(value)) {
      const isMeta = isDoc(value) && '$meta' in value
      return fail(`Illegal key in $sort specification: ${name}`, isMeta ? 'Location31138' : 'Location15974')
    }
    const direction = toNumber(value)
    if (direction !== 1 && direction !== -1)
      fail('$sort key ordering must be 1 (for ascending) or -1 (for descending)', 'Location15975')
    return { path: fieldPath(name), direction }
  })
}

/** Compiles a sort document into a comparison. */
export function compileSort(sort: Doc, scores?: Scores): (a: Doc, b: Doc) => number {
  const keys = compileKeys(sort)
  return (a, b) => compareKeys(keys, sortValues(a, keys, scores), sortValues(b, keys, scores))
}

/**
 * The order of array elements by 1, -1 or a sort document, for `$push` and `$sortArray`.
 * @throws CommandError for anything else
 */
export function elementOrder(sort: unknown, code: ErrorName): (a: unknown, b: unknown) => number {
  if (isDoc(sort)) {
    const isValid = Object.values(sort).every(value => isNumeric(value) && Math.abs(toNumber(value)) === 1)
    if (!isValid || Object.keys(sort).length === 0)
      fail('The $sort pattern must be a set of fields, each with 1 or -1', code)
    const compare = compileSort(sort)
    return (a, b) => (isDoc(a) && isDoc(b) ? compare(a, b) : compareValues(a, b))
  }
  const direction = isNumeric(sort) ? toNumber(sort) : 0
  if (direction !== 1 && direction !== -1) fail('The $sort element value must be either 1 or -1', code)
  return (a, b) => direction * compareValues(a, b)
}

function compareKeys(keys: readonly Key[], a: readonly unknown[], b: readonly unknown[]): number {
  for (const [position, key] of keys.entries()) {
    const order = compareSortValues(a[position], b[position])
    if (order !== 0) return key === 'score' ? -order : key.direction * order
  }
  return 0
}

const sortValues = (doc: Doc, keys: readonly Key[], scores: Scores | undefined): unknown[] =>
  keys.map(key => (key === 'score' ? scoreOf(doc, scores) : sortValue(doc, key)))

/** The value that a document is sorted by. An array sorts by its smallest element (the largest if descending). */
function sortValue(doc: Doc, { path, direction }: { path: Path; direction: 1 | -1 }): unknown {
  let best: unknown
  let found = false
  someValue(doc, path, false, value => {
    const candidates: readonly unknown[] = !Array.isArray(value) ? [value] : value.length > 0 ? value : [emptied]
    for (const candidate of candidates) {
      if (!found || compareSortValues(candidate, best) * direction < 0) best = candidate
      found = true
    }
    return false
  })
  return best
}

/** Stands for an empty array among the values that documents are sorted by. Only MinKey is less, not even null. */
const emptied = Symbol('an empty array')
const rank = (value: unknown): number => (value === emptied ? 1 : typeOrder(value))
const compareSortValues = (a: unknown, b: unknown): number =>
  a === emptied || b === emptied ? sign(rank(a), rank(b)) : compareValues(a, b)

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
