import { ObjectId } from 'bson'
import { type Doc, decode, encode } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import type { Variables } from '../expression/scope.ts'
import type { Matcher } from '../query/match.ts'
import { checkFilter, select } from '../query/select.ts'
import { compileSort, type Scores, sorted } from '../query/sort.ts'
import type { Collection, Row } from '../storage/collection.ts'
import { isReplacement, type Update, upsertSeed } from '../update/update.ts'
import { type Engine, findCollection, type Request } from './command.ts'

/** Which rows a writing command changes. */
export interface Choice {
  readonly filter: Doc
  readonly variables: Variables
  readonly sort?: Doc
}

/** The most rows that are sorted without a pause. */
const mostSortedAtOnce = 1000
/** How often the search starts again because another command changed the row that was found. */
const mostAttempts = 10

/**
 * Finds the first row that matches and changes it. A row that is found within one turn of the event loop is changed in that turn.
 * A longer search lets other commands run. Afterwards the row is read again, and the search repeated if it no longer matches.
 * @param change called in a transaction, with undefined if nothing matches
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

/** Returns undefined if the search takes longer than one turn. */
function firstAtOnce({ pace }: Request, collection: Collection, choice: Choice): { row: Row | undefined } | undefined {
  const scores: Scores = new WeakMap()
  const { candidates, matches } = select(collection, choice.filter, { variables: choice.variables, scores, pace })
  const { sort = {} } = choice
  if (Object.hasOwn(sort, '$natural')) return undefined
  const isSorted = Object.keys(sort).length > 0
  const compare = compileSort(sort, scores)
  const found: Row[] = []
  for (const row of candidates) {
    if (pace.needsPause()) return undefined
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
 * Changes every row that matches. All rows are found before the first one is changed, so that none is found again in its new form.
 * Rows that another command changed meanwhile, so that they no longer match, are left alone. Changes made before a failure stay.
 * @returns the number of changed rows
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
    if (pace.needsPause()) await pace.pause()
    if (row && matches(row.doc)) rids.push(row.rid)
  }
  let [n, at] = [0, 0]
  const changeSome = (): CommandError | undefined => {
    const current = findCollection(request, engine)
    if (!current) at = rids.length
    try {
      for (let isDue = false; current && !isDue && at < rids.length; at++) {
        isDue = pace.needsPause()
        const row = current.byRid(rids[at] ?? -1)
        if (!row || !matches(row.doc)) continue
        change(current, row)
        n++
      }
    } catch (error) {
      // Returned and not thrown, which would undo the changes before it.
      if (error instanceof CommandError) return error
      throw error
    }
    return undefined
  }
  while (at < rids.length) {
    if (pace.needsPause()) await pace.pause()
    const failure = engine.database.write(changeSome)
    if (failure) throw failure
  }
  return n
}

/**
 * Applies an update to a stored row. `changed`: whether its stored bytes changed.
 * @throws CommandError if the update cannot be applied or violates a unique index
 */
export function modifyRow(collection: Collection, row: Row, update: Update): { doc: Doc; changed: boolean } {
  // The row's decoded form is still needed for its index entries, so the update works on a copy.
  const doc = update(decode(row.bytes), false)
  const bytes = encode(doc)
  const changed = Buffer.compare(bytes, row.bytes) !== 0
  if (changed) collection.replace(row.rid, row.doc, doc, bytes)
  return { doc, changed }
}

/** Inserts the document that an upsert makes from its filter and update. */
export function upsert(collection: Collection, update: unknown, compiled: Update, filter: Doc): Doc {
  const { _id = new ObjectId(), ...rest } = compiled(upsertSeed(filter, isReplacement(update)), true)
  const doc = { _id, ...rest }
  collection.insert(doc, encode(doc))
  return doc
}
