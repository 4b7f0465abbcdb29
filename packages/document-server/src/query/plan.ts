import { BSONRegExp } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { encodeKey } from '../bson/key.ts'
import { typeName } from '../bson/types.ts'
import type { Collection, Row } from '../storage/collection.ts'
import type { Index } from '../storage/index-definition.ts'
import { isOperatorDoc } from './match.ts'

/** Most key look-ups made for one query; beyond it (many `$in` in a compound index) the collection is scanned. */
const mostPrefixes = 10_000

/** Rows as they are found; `undefined` where a step was made that found none. */
export type Rows = Iterable<Row | undefined>

/**
 * The rows that may match a filter, in order of insertion: by `_id` or the leading fields of an index where the filter
 * has equalities (or `$in`) for them, otherwise all rows. The filter still has to be applied to them.
 */
export function candidates(collection: Collection, filter: Doc): Rows {
  const equalities = collectEqualities(filter)
  const ids = equalities.get('_id')
  if (ids) return byIds(collection, ids)
  let best: { index: Index; prefixes: Buffer[]; fields: number } | undefined
  for (const index of collection.indexes) {
    const usable = usableFields(index, equalities)
    if (usable.length === 0 || usable.length < (best?.fields ?? 1)) continue
    if (usable.length === best?.fields && !index.unique) continue
    const prefixes = combine(usable)
    if (prefixes) best = { index, prefixes, fields: usable.length }
  }
  return best ? byPrefixes(collection, best.index, best.prefixes) : collection.scan()
}

function* byIds(collection: Collection, ids: readonly unknown[]): Generator<Row | undefined> {
  const rids = new Set<number>()
  for (const id of ids) {
    const rid = collection.dropped ? undefined : collection.ridOf(id)
    if (rid !== undefined) rids.add(rid)
    if (ids.length > 1) yield undefined
  }
  yield* byRids(collection, rids)
}

function* byRids(collection: Collection, rids: ReadonlySet<number>): Generator<Row> {
  for (const rid of [...rids].sort((a, b) => a - b)) {
    const row = collection.dropped ? undefined : collection.byRid(rid)
    if (row) yield row
  }
}

/** Rows reached through keys of an index. The places are read at once, each row only when it is asked for. */
export function* byPrefixes(
  collection: Collection,
  index: Index,
  prefixes: readonly Buffer[],
): Generator<Row | undefined> {
  const rids = new Set<number>()
  for (const prefix of prefixes) {
    if (collection.dropped) return
    for (const rid of collection.ridsByPrefix(index, prefix)) rids.add(rid)
    if (prefixes.length > 1) yield undefined
  }
  yield* byRids(collection, rids)
}

/** Values that a field has to equal (one of), for the fields of which a filter says so. */
function collectEqualities(filter: Doc, found = new Map<string, unknown[]>()): Map<string, unknown[]> {
  for (const [key, value] of Object.entries(filter)) {
    if (key === '$and' && Array.isArray(value)) {
      for (const part of value) if (isDoc(part)) collectEqualities(part, found)
    } else if (!key.startsWith('$') && !found.has(key)) {
      const values = equalTo(value)
      if (values?.every(isKeyable)) found.set(key, values)
    }
  }
  return found
}

function equalTo(value: unknown): unknown[] | undefined {
  if (!isOperatorDoc(value)) return [value]
  if ('$eq' in value) return [value.$eq]
  return Array.isArray(value.$in) ? value.$in : undefined
}

/** Null also means missing, an expression matches strings, an array may be an element or the whole: no key for those. */
const isKeyable = (value: unknown): boolean =>
  !(value instanceof BSONRegExp) && !['null', 'undefined', 'array'].includes(typeName(value))

function usableFields(index: Index, equalities: ReadonlyMap<string, unknown[]>): unknown[][] {
  if (index.partial || index.text) return []
  const usable: unknown[][] = []
  const heads = new Set<string>()
  for (const { name, path } of index.fields) {
    const values = equalities.get(name)
    const head = path[0] ?? ''
    // Fields below one array are indexed element by element, while a filter may find them in different elements.
    if (!values || heads.has(head) || path.some(segment => /^\d+$/.test(segment))) break
    heads.add(head)
    usable.push(values)
  }
  return usable
}

function combine(fields: readonly unknown[][]): Buffer[] | undefined {
  const count = fields.reduce((product, values) => product * values.length, 1)
  if (count > mostPrefixes) return undefined
  return fields.reduce<Buffer[]>(
    (prefixes, values) => prefixes.flatMap(prefix => values.map(value => Buffer.concat([prefix, encodeKey(value)]))),
    [Buffer.alloc(0)],
  )
}
