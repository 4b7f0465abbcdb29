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

/** Compiles a sort document into a comparison; `undefined` for natural order. */
export function compileSort(sort: Doc, scores?: Scores): ((a: Doc, b: Doc) => number) | undefined {
  const keys = Object.entries(sort).map(([name, value]): Key => {
    if (isTextScore(value)) return 'score'
    const direction = isNumeric(value) ? toNumber(value) : 0
    if (direction !== 1 && direction !== -1)
      throw new CommandError(
        'BadValue',
        `Illegal key in $sort specification: ${name}: the direction must be 1, -1 or { $meta: 'textScore' }`,
      )
    return { path: parsePath(name), direction }
  })
  if (keys.length === 0) return undefined
  return (a, b) => {
    for (const key of keys) {
      const order =
        key === 'score'
          ? scoreOf(b, scores) - scoreOf(a, scores)
          : key.direction * compareValues(sortValue(a, key), sortValue(b, key))
      if (order !== 0) return order
    }
    return 0
  }
}

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
  const compare = compileSort(sort, scores)
  return compare ? [...items].sort((a, b) => compare(docOf(a), docOf(b))) : items
}
