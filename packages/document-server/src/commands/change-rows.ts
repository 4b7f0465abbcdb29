import type { Doc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import type { Variables } from '../expression/expression.ts'
import type { Pace } from '../pace.ts'
import type { Matcher } from '../query/match.ts'
import { checkFilter, select } from '../query/select.ts'
import { compileSort, type Scores, sorted } from '../query/sort.ts'
import type { Collection, Row } from '../storage/collection.ts'
import { type Engine, findCollection, type Request } from './command.ts'

/** Which rows a writing command is about. */
export interface Choice {
  readonly filter: Doc
  readonly variables: Variables
  readonly sort?: Doc
}

/** Rows that are sorted at once; more are sorted with turns for others. */
const mostSortedAtOnce = 1000
/** How often a row is looked for again when somebody else changed the one that was found. */
const mostAttempts = 10

/**
 * Finds the first row that matches and changes it. What is found within a turn of the event loop is changed in that turn. A longer
 * search gives others their turns; then the row is read again, and looked for again when it no longer matches.
 * @param change called in a transaction, with undefined when nothing matches
 */
export async function changeFirst<T>(
  request: Request,
  engine: Engine,
  choice: Choice,
  change: (collection: Collection | undefined, row: Row | undefined) => T,
): Promise<T> {
  const atOnce = engine.database.write((): { result: T } | undefined => {
    const collection = findCollection(request, engine)
    if (!collection) checkFilter(choice.filter, choice.variables)
    const found = collection ? firstAtOnce(request, collection, choice) : { row: undefined }
    return found && { result: change(collection, found.row) }
  })
  if (atOnce) return atOnce.result
  for (let attempt = 1; ; attempt++) {
    const { row, matches, version } = await search(request, engine, choice)
    const done = engine.database.write((): { result: T } | undefined => {
      const collection = findCollection(request, engine)
      const fresh = row && collection?.byRid(row.rid)
      const valid = row ? fresh && matches(fresh.doc) : engine.database.version === version + 1
      return valid || attempt === mostAttempts ? { result: change(collection, valid ? fresh : undefined) } : undefined
    })
    if (done) return done.result
  }
}

/** Undefined when it takes longer than a turn. */
function firstAtOnce({ pace }: Request, collection: Collection, choice: Choice): { row: Row | undefined } | undefined {
  const scores: Scores = new WeakMap()
  const { candidates, matches } = select(collection, choice.filter, { variables: choice.variables, scores, pace })
  const { sort = {} } = choice
  if (Object.hasOwn(sort, '$natural')) return undefined
  const isSorted = Object.keys(sort).length > 0
  const compare = compileSort(sort, scores)
  const found: Row[] = []
  for (const row of candidates) {
    if (pace.tick()) return undefined
    if (!row || !matches(row.doc)) continue
    if (!isSorted) return { row }
    if (found.push(row) > mostSortedAtOnce) return undefined
  }
  return { row: found.sort((a, b) => compare(a.doc, b.doc))[0] }
}

async function search(
  request: Request,
  engine: Engine,
  choice: Choice,
): Promise<{ row: Row | undefined; matches: Matcher; version: number }> {
  const { pace } = request
  const { version } = engine.database
  const collection = findCollection(request, engine)
  if (!collection) return { row: undefined, matches: () => false, version }
  const scores: Scores = new WeakMap()
  const { rows, matches } = select(collection, choice.filter, { variables: choice.variables, scores, pace })
  const ordered = sorted(rows, choice.sort ?? {}, {
    ...{ pace, scores, limit: 1, doc: row => row.doc, size: row => row.bytes.byteLength },
  })
  for await (const row of ordered) return { row, matches, version }
  return { row: undefined, matches, version }
}

/**
 * Changes every row that matches. All are found before the first one changes, so that none is met again in its new form. When that
 * takes longer than a turn, rows that somebody else changed meanwhile so that they no longer match are left alone.
 * What was done before a failure stays.
 * @returns how many there were
 */
export async function changeAll(
  request: Request,
  engine: Engine,
  { filter, variables }: Choice,
  change: (collection: Collection, row: Row) => void,
): Promise<number> {
  const { pace } = request
  const collection = findCollection(request, engine)
  if (!collection) {
    checkFilter(filter, variables)
    return 0
  }
  const { candidates, matches } = select(collection, filter, { variables, pace })
  const rids: number[] = []
  for (const row of candidates) {
    if (pace.tick()) await pace.pause()
    if (row && matches(row.doc)) rids.push(row.rid)
  }
  let n = 0
  for (let at = 0; at < rids.length; ) {
    if (pace.tick()) await pace.pause()
    const slice = engine.database.write(() => {
      const current = findCollection(request, engine)
      return current && changeSome(pace, current, rids, at, { matches, change })
    })
    if (!slice) break
    n += slice.changed
    at = slice.next
    if (slice.failure) throw slice.failure
  }
  return n
}

/** Changes rows until others should have a turn. */
function changeSome(
  pace: Pace,
  collection: Collection,
  rids: readonly number[],
  from: number,
  { matches, change }: { matches: Matcher; change: (collection: Collection, row: Row) => void },
): { changed: number; next: number; failure?: CommandError } {
  let changed = 0
  for (let at = from; at < rids.length; at++) {
    try {
      const due = pace.tick()
      const row = collection.byRid(rids[at] ?? -1)
      if (row && matches(row.doc)) {
        change(collection, row)
        changed++
      }
      if (due) return { changed, next: at + 1 }
    } catch (failure) {
      if (failure instanceof CommandError) return { changed, next: at, failure }
      throw failure
    }
  }
  return { changed, next: rids.length }
}
