import { BSONRegExp } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { encodeKey } from '../bson/key.ts'
import { typeName } from '../bson/types.ts'
import { fail } from '../errors.ts'
import type { Variables } from '../expression/scope.ts'
import type { Pace } from '../pace.ts'
import type { Collection, Row } from '../storage/collection.ts'
import type { Index } from '../storage/indexes.ts'
import { compileFilter, isOperatorDoc, type Matcher } from './match.ts'
import type { Scores } from './sort.ts'
import { compileTextSearch } from './text.ts'

export interface SelectOptions {
  readonly pace: Pace
  readonly variables?: Variables
  /** Receives the relevance of each row's document if the filter has a `$text`. */
  readonly scores?: Scores
}

/** What a filter selects. */
export interface Selection {
  /** The rows that match, read lazily, letting other commands run meanwhile. To be read instead of `candidates`. */
  readonly rows: AsyncIterable<Row>
  /** The rows that may match. */
  readonly candidates: Rows
  /** Whether a document matches. */
  readonly matches: Matcher
}

/** Selects the rows of a collection that match a filter. The filter is compiled immediately. */
export function select(collection: Collection, filter: Doc, options: SelectOptions): Selection {
  const { text, rest } = splitText(filter)
  const plain = compileFilter(rest, options.variables)
  const search = text === undefined ? undefined : searchText(collection, text, options.scores)
  const matches: Matcher = search ? doc => search.found(doc) && plain(doc) : plain
  const rows = search?.rows ?? candidates(collection, rest)
  return { matches, candidates: rows, rows: filtered(rows, matches, options.pace) }
}

/** Compiles a filter only for its errors, where there is no collection to read. */
export function checkFilter(filter: Doc, variables?: Variables): void {
  compileFilter(splitText(filter).rest, variables)
}

async function* filtered(rows: Rows, matches: Matcher, pace: Pace): AsyncGenerator<Row> {
  for (const row of rows) {
    if (pace.needsPause()) await pace.pause()
    if (row && matches(row.doc)) yield row
  }
}

function splitText(filter: Doc): { text: unknown; rest: Doc } {
  const { $text, ...rest } = filter
  let text = $text
  if (Array.isArray(rest.$and)) {
    const parts = rest.$and.map(part => {
      if (!isDoc(part) || !('$text' in part)) return part
      const split = splitText(part)
      text ??= split.text
      return Object.keys(split.rest).length === 0 ? {} : split.rest
    })
    rest.$and = parts
  }
  return { text, rest }
}

function searchText(
  collection: Collection,
  argument: unknown,
  scores: Scores | undefined,
): { rows: Rows; found: Matcher } {
  const index = collection.indexes.find(candidate => candidate.text)
  if (!index?.text) fail('text index required for $text query', 'IndexNotFound')
  const search = compileTextSearch(argument, index.text)
  const found: Matcher = doc => {
    const score = search.score(doc)
    if (score !== undefined) scores?.set(doc, score)
    return score !== undefined
  }
  return { rows: byPrefixes(collection, index, search.terms.map(encodeKey)), found }
}

/** The most key look-ups for one query. If more are needed (many `$in` on a compound index), the collection is scanned. */
const mostPrefixes = 10_000

/** Rows as they are found. `undefined` stands for a step that found none. */
type Rows = Iterable<Row | undefined>

/**
 * The rows that may match a filter, in order of insertion. They come from `_id` or the leading fields of an index if the
 * filter has equalities (or `$in`) for them, otherwise from a scan. The filter still has to be applied to them.
 */
function candidates(collection: Collection, filter: Doc): Rows {
  const equalities = collectEqualities(filter)
  const ids = equalities.get('_id')
  if (ids) return rowsOf(collection, ids, id => collection.ridsOf(id))
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

const byPrefixes = (collection: Collection, index: Index, prefixes: readonly Buffer[]): Rows =>
  rowsOf(collection, prefixes, prefix => collection.ridsByPrefix(index, prefix))

/** The rows with these keys. Their row ids are read first, each row only when it is needed. */
function* rowsOf<T>(
  collection: Collection,
  keys: readonly T[],
  ridsOf: (key: T) => readonly number[],
): Generator<Row | undefined> {
  const rids = new Set<number>()
  for (const key of keys) {
    if (collection.dropped) return
    for (const rid of ridsOf(key)) rids.add(rid)
    if (keys.length > 1) yield undefined
  }
  for (const rid of [...rids].sort((a, b) => a - b)) {
    const row = collection.dropped ? undefined : collection.byRid(rid)
    if (row) yield row
  }
}

/** For each field that a filter restricts to certain values: these values. */
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

/** Null also means missing, a regular expression matches strings, an array may be an element or the whole: these have no single key. */
const isKeyable = (value: unknown): boolean =>
  !(value instanceof BSONRegExp) && !['null', 'undefined', 'array'].includes(typeName(value))

function usableFields(index: Index, equalities: ReadonlyMap<string, unknown[]>): unknown[][] {
  if (index.partial || index.text) return []
  const usable: unknown[][] = []
  const heads = new Set<string>()
  for (const { name, path } of index.fields) {
    const values = equalities.get(name)
    const head = path[0] ?? ''
    // Fields below one array are indexed element by element, but a filter may find them in different elements.
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
