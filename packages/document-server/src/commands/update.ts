import { Int32 } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import type { Collection, Row } from '../storage/collection.ts'
import { compileUpdate, isReplacement } from '../update/update.ts'
import { changeAll, changeFirst } from './change-rows.ts'
import { type Command, collectionName, type Engine, type Request } from './command.ts'
import { modifyRow, upsert } from './modify.ts'
import { isSimpleCollation, Options } from './options.ts'
import { runStatements } from './write-result.ts'

const update: Command = {
  options: ['update', 'updates', 'ordered', 'bypassDocumentValidation', 'let'],
  async run(request, engine) {
    const { options } = request
    const ordered = options.raw('ordered') === undefined || options.bool('ordered')
    const totals = { n: 0, nModified: 0, upserted: [] as Doc[] }
    const errors = await runStatements(updateStatements(options), ordered, async (statement, index) => {
      const outcome = await runUpdate(request, engine, statement)
      totals.n += outcome.n
      totals.nModified += outcome.nModified
      if (outcome.upserted) totals.upserted.push({ index: new Int32(index), _id: outcome.upserted._id })
    })
    const reply: Doc = { n: new Int32(totals.n), nModified: new Int32(totals.nModified) }
    if (totals.upserted.length > 0) reply.upserted = totals.upserted
    return errors.in(reply)
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

async function runUpdate(request: Request, engine: Engine, options: Options): Promise<Outcome> {
  const filter = options.doc('q') ?? {}
  const change = options.raw('u')
  const multi = options.bool('multi')
  if (multi && isReplacement(change) && isDoc(change))
    throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update')
  const variables = request.options.doc('let') ?? {}
  const compiled = compileUpdate(change, { filter, arrayFilters: options.array('arrayFilters') ?? [], variables })
  const wantsUpsert = options.bool('upsert')
  let nModified = 0
  const modify = (collection: Collection, row: Row): void => {
    if (modifyRow(collection, row, compiled).changed) nModified++
  }
  if (multi) {
    const n = await changeAll(request, engine, { filter, variables }, modify)
    if (n > 0 || !wantsUpsert) return { n, nModified }
  }
  return changeFirst(request, engine, { filter, variables }, (found, row) => {
    if (found && row) modify(found, row)
    if (row || !wantsUpsert) return { n: row ? 1 : 0, nModified }
    const collection = found ?? engine.catalog.require(request.database, collectionName(request))
    return { n: 1, nModified: 0, upserted: upsert(collection, change, compiled, filter) }
  })
}

const deletes: Command = {
  options: ['delete', 'deletes', 'ordered', 'let'],
  async run(request, engine) {
    const { options } = request
    const ordered = options.raw('ordered') === undefined || options.bool('ordered')
    let n = 0
    const errors = await runStatements(deleteStatements(options), ordered, async statement => {
      n += await runDelete(request, engine, statement)
    })
    return errors.in({ n: new Int32(n) })
  },
}

const deleteStatements = (options: Options): Options[] =>
  (options.docs('deletes') ?? []).map(statement =>
    new Options(statement, 'delete.deletes')
      .allow(['q', 'limit', 'collation', 'hint'])
      .refuse('collation', isSimpleCollation),
  )

async function runDelete(request: Request, engine: Engine, options: Options): Promise<number> {
  const limit = options.number('limit')
  if (limit !== 0 && limit !== 1)
    throw new CommandError('FailedToParse', 'The limit field in delete objects must be 0 or 1.')
  const choice = { filter: options.doc('q') ?? {}, variables: request.options.doc('let') ?? {} }
  if (limit === 0) return changeAll(request, engine, choice, (collection, row) => collection.remove(row))
  return changeFirst(request, engine, choice, (collection, row) => {
    if (row) collection?.remove(row)
    return row ? 1 : 0
  })
}

export const updateCommands: Readonly<Record<string, Command>> = { update, delete: deletes }
