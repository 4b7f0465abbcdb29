import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import { Held } from '../memory.ts'
import type { Pace } from '../pace.ts'
import { mergeSort } from './merge-sort.ts'
import { type Path, parsePath, someValue } from './path.ts'

/** Relevance of the documents a `$text` search found. */
export type Scores = WeakMap<Doc, number>

type Key = { readonly path: Path; readonly direction: 1 | -1 } | 'score'

/** Whether a value is `{ $meta: 'textScore' }`. @throws CommandError for other metadata */
export function isTextScore(value: unknown): boolean {
  if (!isDoc(value) || !Object.hasOwn(value, '$meta')) return false
  if (value.$meta !== 'textScore')
    throw new CommandError('BadValue', `$meta: '${String(value.$meta)}' is not supported, only 'textScore' is`)
  return true
}

export function scoreOf(doc: Doc, scores: Scores | undefined): number {
  const score = scores?.get(doc)
  if (score === undefined)
    throw new CommandError('Location40228', 'query requires text score metadata, but it is not available')
  return score
}

/** @throws CommandError for a direction that is none */
function compileKeys(sort: Doc): Key[] {
  return Object.entries(sort).map(([name, value]): Key => {
    if (isTextScore(value)) return 'score'
    const direction = isNumeric(value) ? toNumber(value) : 0
    if (direction !== 1 && direction !== -1)
      throw new CommandError(
        'BadValue',
        `Illegal key in $sort specification: ${name}: the direction must be 1, -1 or { $meta: 'textScore' }`,
      )
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

/** An array sorts by its smallest element (largest when descending); an empty one before null. */
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

/** Checks a sort document. @throws CommandError for a direction that is none */
export const checkSort = (sort: Doc): void => void compileKeys(sort)

export interface SortOptions<T> {
  readonly pace: Pace
  readonly doc: (item: T) => Doc
  readonly size: (item: T) => number
  readonly scores?: Scores | undefined
  /** How many of the first ones are wanted. Default all. */
  readonly limit?: number
}

/** Items in the order of a sort document; untouched (and still lazy) when it asks for no order. */
export function sorted<T>(items: AsyncIterable<T>, sort: Doc, options: SortOptions<T>): AsyncIterable<T> {
  const natural = sort.$natural
  if (natural !== undefined) return isNumeric(natural) && toNumber(natural) < 0 ? reversed(items, options) : items
  const keys = compileKeys(sort)
  return keys.length === 0 ? items : byKeys(items, keys, options)
}

async function* reversed<T>(items: AsyncIterable<T>, { size }: SortOptions<T>): AsyncGenerator<T> {
  const held = new Held('Sort')
  const all: T[] = []
  for await (const item of items) {
    held.add(size(item))
    all.push(item)
  }
  yield* all.reverse()
}

/** An item with the values it is ordered by, which are looked up once and not in every comparison. */
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
  let held = new Held('Sort')
  let kept: Keyed<T>[] = []
  for await (const item of items) {
    if (pace.tick()) await pace.pause()
    held.add(size(item))
    kept.push({ item, values: sortValues(doc(item), keys, scores) })
    if (kept.length < 2 * limit + 1000) continue
    kept = (await mergeSort(kept, compare, pace)).slice(0, limit)
    held = new Held('Sort')
    for (const { item } of kept) held.add(size(item))
  }
  for (const { item } of await mergeSort(kept, compare, pace)) yield item
}
