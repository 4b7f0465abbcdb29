import { Int32 } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { checkFilter, select } from '../query/select.ts'
import { compileUpdate, isReplacement } from '../update/update.ts'
import { type Command, collectionName, type Engine, findCollection, type Request } from './command.ts'
import { modifyRow, upsert } from './modify.ts'
import { isSimpleCollation, Options } from './options.ts'
import { runStatements, withErrors } from './write-result.ts'

const update: Command = {
  options: ['update', 'updates', 'ordered', 'bypassDocumentValidation', 'let'],
  writes: true,
  run(request, engine) {
    const { options } = request
    const ordered = options.raw('ordered') === undefined || options.bool('ordered')
    const totals = { n: 0, nModified: 0, upserted: [] as Doc[] }
    const writeErrors = runStatements(updateStatements(options), ordered, (statement, index) => {
      const outcome = runUpdate(request, engine, statement)
      totals.n += outcome.n
      totals.nModified += outcome.nModified
      if (outcome.upserted) totals.upserted.push({ index: new Int32(index), _id: outcome.upserted._id })
    })
    const reply: Doc = { n: new Int32(totals.n), nModified: new Int32(totals.nModified) }
    if (totals.upserted.length > 0) reply.upserted = totals.upserted
    return withErrors(reply, writeErrors)
  },
}

interface Outcome {
  readonly n: number
  readonly nModified: number
  readonly upserted?: Doc
}

/** All statements are looked through before the first one runs: a malformed command does nothing. */
const updateStatements = (options: Options): Options[] =>
  (options.docs('updates') ?? []).map(statement =>
    new Options(statement, 'update.updates')
      .allow(['q', 'u', 'c', 'upsert', 'multi', 'collation', 'arrayFilters', 'hint'])
      .refuse('collation', isSimpleCollation)
      .refuse('c'),
  )

function runUpdate(request: Request, engine: Engine, options: Options): Outcome {
  const filter = options.doc('q') ?? {}
  const change = options.raw('u')
  const multi = options.bool('multi')
  if (multi && isReplacement(change) && isDoc(change))
    throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update')
  const variables = request.options.doc('let') ?? {}
  const compiled = compileUpdate(change, { filter, arrayFilters: options.array('arrayFilters') ?? [], variables })
  const wantsUpsert = options.bool('upsert')
  const collection = wantsUpsert
    ? engine.catalog.require(request.database, collectionName(request))
    : findCollection(request, engine)
  if (!collection) {
    checkFilter(filter, variables)
    return { n: 0, nModified: 0 }
  }
  // All rows are found before the first one changes, so that none is met again in its new form.
  const selected = select(collection, filter, { variables, tick: request.tick })
  const rows = multi ? [...selected] : [...take(selected)]
  if (rows.length === 0 && wantsUpsert)
    return { n: 1, nModified: 0, upserted: upsert(collection, change, compiled, filter) }
  const nModified = rows.filter(row => modifyRow(collection, row, compiled).changed).length
  return { n: rows.length, nModified }
}

function* take<T>(items: Iterable<T>): Generator<T> {
  for (const item of items) {
    yield item
    return
  }
}

const deletes: Command = {
  options: ['delete', 'deletes', 'ordered', 'let'],
  writes: true,
  run(request, engine) {
    const { options } = request
    const ordered = options.raw('ordered') === undefined || options.bool('ordered')
    let n = 0
    const writeErrors = runStatements(deleteStatements(options), ordered, statement => {
      n += runDelete(request, engine, statement)
    })
    return withErrors({ n: new Int32(n) }, writeErrors)
  },
}

const deleteStatements = (options: Options): Options[] =>
  (options.docs('deletes') ?? []).map(statement =>
    new Options(statement, 'delete.deletes')
      .allow(['q', 'limit', 'collation', 'hint'])
      .refuse('collation', isSimpleCollation),
  )

function runDelete(request: Request, engine: Engine, options: Options): number {
  const limit = options.number('limit')
  if (limit !== 0 && limit !== 1)
    throw new CommandError('FailedToParse', 'The limit field in delete objects must be 0 or 1.')
  const filter = options.doc('q') ?? {}
  const variables = request.options.doc('let') ?? {}
  const collection = findCollection(request, engine)
  if (!collection) {
    checkFilter(filter, variables)
    return 0
  }
  const selected = select(collection, filter, { variables, tick: request.tick })
  const rows = limit === 1 ? [...take(selected)] : [...selected]
  for (const row of rows) collection.remove(row)
  return rows.length
}

export const updateCommands: Readonly<Record<string, Command>> = { update, delete: deletes }
