import { Int32 } from 'bson'
import type { Doc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { compileProjection, type Projection } from '../query/projection.ts'
import { compileUpdate } from '../update/update.ts'
import { changeFirst, modifyRow, upsert } from './change-rows.ts'
import { type Command, collectionName, type Options } from './command.ts'

export const findAndModify: Command = {
  options:
    'findAndModify findandmodify query sort remove update new fields upsert bypassDocumentValidation hint collation let arrayFilters',
  run(request, engine) {
    const { options, variables } = request
    const remove = options.bool('remove')
    const wantsNew = options.bool('new')
    const wantsUpsert = options.bool('upsert')
    const change = options.raw('update')
    assertCombination(options, remove, change)
    const filter = options.doc('query') ?? {}
    const fields = options.doc('fields') ?? {}
    const project: Projection =
      Object.keys(fields).length > 0 ? compileProjection(fields, { find: true, variables }) : doc => doc
    const update = remove
      ? undefined
      : compileUpdate(change, { filter, arrayFilters: options.array('arrayFilters') ?? [], variables })
    const choice = { filter, variables, sort: options.doc('sort') ?? {} }
    return changeFirst(request, engine, choice, (found, row) => {
      if (found && row && !update) {
        found.remove(row)
        return { lastErrorObject: { n: new Int32(1) }, value: project(row.doc) }
      }
      if (found && row && update) {
        const { doc } = modifyRow(found, row, update)
        return { lastErrorObject: lastUpdate(1), value: project(wantsNew ? doc : row.doc) }
      }
      if (!update) return { lastErrorObject: { n: new Int32(0) }, value: null }
      if (!wantsUpsert) return { lastErrorObject: lastUpdate(0), value: null }
      const collection = found ?? engine.catalog.require(request.database, collectionName(request))
      const doc = upsert(collection, change, update, filter)
      const lastErrorObject = { ...lastUpdate(1), updatedExisting: false, upserted: doc._id }
      return { lastErrorObject, value: wantsNew ? project(doc) : null }
    })
  },
}

const lastUpdate = (n: number): Doc => ({ n: new Int32(n), updatedExisting: n > 0 })

function assertCombination(options: Options, remove: boolean, change: unknown): void {
  if (remove && change !== undefined) fail('Cannot specify both an update and remove=true', 'FailedToParse')
  if (!remove && change === undefined) fail('Either an update or remove=true must be specified', 'FailedToParse')
  if (remove && options.bool('new'))
    fail("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document", 'FailedToParse')
  if (remove && options.bool('upsert')) fail('Cannot specify both upsert=true and remove=true', 'FailedToParse')
}
