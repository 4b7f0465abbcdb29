import { type Doc, isDoc } from '../bson/document.ts'
import { encodeKey } from '../bson/key.ts'
import { CommandError } from '../errors.ts'
import type { Variables } from '../expression/expression.ts'
import type { Pace } from '../pace.ts'
import type { Collection, Row } from '../storage/collection.ts'
import { compileTextSearch } from '../text/search.ts'
import { compileFilter, type Matcher } from './match.ts'
import { byPrefixes, candidates, type Rows } from './plan.ts'
import type { Scores } from './sort.ts'

export interface SelectOptions {
  readonly pace: Pace
  readonly variables?: Variables
  /** Receives the relevance of each row's document, when the filter has a `$text`. */
  readonly scores?: Scores
}

/** What a filter selects. */
export interface Selection {
  /** The rows that match, read as they are taken, with turns for others. To be read instead of `candidates`. */
  readonly rows: AsyncIterable<Row>
  /** The rows that may match. */
  readonly candidates: Rows
  /** Whether a document matches. */
  readonly matches: Matcher
}

/** The rows of a collection that match a filter, which is compiled at once. */
export function select(collection: Collection, filter: Doc, options: SelectOptions): Selection {
  const { text, rest } = splitText(filter)
  const plain = compileFilter(rest, options.variables)
  const search = text === undefined ? undefined : searchText(collection, text, options.scores)
  const matches: Matcher = search ? doc => search.found(doc) && plain(doc) : plain
  const rows = search?.rows ?? candidates(collection, rest)
  return { matches, candidates: rows, rows: filtered(rows, matches, options.pace) }
}

/** Compiles a filter for its errors alone, where there is no collection to read. */
export function checkFilter(filter: Doc, variables?: Variables): void {
  compileFilter(splitText(filter).rest, variables)
}

async function* filtered(rows: Rows, matches: Matcher, pace: Pace): AsyncGenerator<Row> {
  for (const row of rows) {
    if (pace.tick()) await pace.pause()
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
      return Object.keys(split.rest).length === 0 ? { $alwaysTrue: 1 } : split.rest
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
  if (!index?.text) throw new CommandError('IndexNotFound', 'text index required for $text query')
  const search = compileTextSearch(argument, index.text)
  const found: Matcher = doc => {
    const score = search.score(doc)
    if (score !== undefined) scores?.set(doc, score)
    return score !== undefined
  }
  return { rows: byPrefixes(collection, index, search.terms.map(encodeKey)), found }
}
