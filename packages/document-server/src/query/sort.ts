import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
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

/** Items in the order of a sort document; untouched (and still lazy) when it asks for no order. */
export function sortDocs<T>(items: Iterable<T>, docOf: (item: T) => Doc, sort: Doc, scores?: Scores): Iterable<T> {
  const natural = sort.$natural
  if (natural !== undefined) return isNumeric(natural) && toNumber(natural) < 0 ? [...items].reverse() : items
  const keys = compileKeys(sort)
  return keys.length === 0 ? items : sorted(items, docOf, keys, scores)
}

/** The values are looked up once per document, not once per comparison. */
function* sorted<T>(items: Iterable<T>, docOf: (item: T) => Doc, keys: readonly Key[], scores?: Scores): Generator<T> {
  const decorated = Array.from(items, item => ({ item, values: sortValues(docOf(item), keys, scores) }))
  decorated.sort((a, b) => compareKeys(keys, a.values, b.values))
  for (const { item } of decorated) yield item
}
