import { type Doc, isDoc } from '../bson/document.ts'
import { encodeKey } from '../bson/key.ts'
import { CommandError } from '../errors.ts'
import type { Variables } from '../expression/expression.ts'
import type { Collection, Row } from '../storage/collection.ts'
import { compileTextSearch } from '../text/search.ts'
import { compileFilter } from './match.ts'
import { byPrefixes, candidates } from './plan.ts'
import type { Scores } from './sort.ts'

export interface SelectOptions {
  readonly variables?: Variables
  /** Receives the relevance of each row's document, when the filter has a `$text`. */
  readonly scores?: Scores
  /** Called for every row looked at; throws when the command has run out of time. */
  readonly tick?: () => void
}

/** The rows of a collection that match a filter. The filter is compiled at once, the rows are read as they are taken. */
export function select(collection: Collection, filter: Doc, options: SelectOptions = {}): Iterable<Row> {
  const { text, rest } = splitText(filter)
  const matches = compileFilter(rest, options.variables)
  const rows = text === undefined ? candidates(collection, rest) : searchText(collection, text, options.scores)
  return filtered(rows, row => matches(row.doc), options.tick)
}

/** Compiles a filter for its errors alone, where there is no collection to read. */
export function checkFilter(filter: Doc, variables?: Variables): void {
  compileFilter(splitText(filter).rest, variables)
}

function* filtered(rows: Iterable<Row>, matches: (row: Row) => boolean, tick?: () => void): Generator<Row> {
  for (const row of rows) {
    tick?.()
    if (matches(row)) yield row
  }
}

/** Whether a filter has a `$text`. */
export const hasText = (filter: Doc): boolean => splitText(filter).text !== undefined

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

function searchText(collection: Collection, argument: unknown, scores: Scores | undefined): Iterable<Row> {
  const index = collection.indexes.find(candidate => candidate.text)
  if (!index?.text) throw new CommandError('IndexNotFound', 'text index required for $text query')
  const search = compileTextSearch(argument, index.text)
  const rows = byPrefixes(collection, index, search.terms.map(encodeKey))
  return filtered(rows, row => {
    const score = search.score(row.doc)
    if (score !== undefined) scores?.set(row.doc, score)
    return score !== undefined
  })
}
