import { Int32 } from 'bson'
import type { Doc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { compileProjection, type Projection } from '../query/projection.ts'
import type { Collection, Row } from '../storage/collection.ts'
import { compileUpdate, type Update } from '../update/update.ts'
import { changeFirst } from './change-rows.ts'
import { type Command, collectionName } from './command.ts'
import { modifyRow, upsert } from './modify.ts'
import { isSimpleCollation, type Options } from './options.ts'

const findAndModify: Command = {
  options: [
    'findAndModify',
    'findandmodify',
    'query',
    'sort',
    'remove',
    'update',
    'new',
    'fields',
    'upsert',
    'bypassDocumentValidation',
    'hint',
    'collation',
    'let',
    'arrayFilters',
  ],
  run(request, engine) {
    const { options } = request
    options.refuse('collation', isSimpleCollation)
    const remove = options.bool('remove')
    const change = options.raw('update')
    assertCombination(options, remove, change)
    const filter = options.doc('query') ?? {}
    const variables = options.doc('let') ?? {}
    const fields = options.doc('fields') ?? {}
    const project: Projection =
      Object.keys(fields).length > 0 ? compileProjection(fields, { find: true, variables }) : doc => doc
    const compiled = remove
      ? undefined
      : compileUpdate(change, { filter, arrayFilters: options.array('arrayFilters') ?? [], variables })
    const wantsUpsert = options.bool('upsert')
    const choice = { filter, variables, sort: options.doc('sort') ?? {} }
    return changeFirst(request, engine, choice, (found, row) => {
      if (found && row) {
        if (!compiled) return removed(found, row, project)
        return changed(found, row, compiled, options.bool('new'), project)
      }
      if (!compiled || !wantsUpsert) return { lastErrorObject: lastError(0, remove), value: null }
      const collection = found ?? engine.catalog.require(request.database, collectionName(request))
      return upserted(upsert(collection, change, compiled, filter), options.bool('new'), project)
    })
  },
}

function assertCombination(options: Options, remove: boolean, change: unknown): void {
  if (remove === (change !== undefined))
    throw new CommandError(
      'FailedToParse',
      remove ? 'Cannot specify both an update and remove=true' : 'Either an update or remove=true must be specified',
    )
  if (remove && options.bool('new'))
    throw new CommandError(
      'FailedToParse',
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    )
  if (remove && options.bool('upsert'))
    throw new CommandError('FailedToParse', 'Cannot specify both upsert=true and remove=true')
}

/** `updatedExisting` belongs to updates only. */
const lastError = (n: number, remove: boolean, extra: Doc = {}): Doc =>
  remove ? { n: new Int32(n) } : { n: new Int32(n), updatedExisting: n > 0, ...extra }

function removed(collection: Collection, row: Row, project: Projection): Doc {
  collection.remove(row)
  return { lastErrorObject: lastError(1, true), value: project(row.doc) }
}

function changed(collection: Collection, row: Row, update: Update, wantsNew: boolean, project: Projection): Doc {
  const { doc } = modifyRow(collection, row, update)
  return { lastErrorObject: lastError(1, false), value: project(wantsNew ? doc : row.doc) }
}

function upserted(doc: Doc, wantsNew: boolean, project: Projection): Doc {
  return {
    lastErrorObject: lastError(1, false, { updatedExisting: false, upserted: doc._id }),
    value: wantsNew ? project(doc) : null,
  }
}

export const findAndModifyCommands: Readonly<Record<string, Command>> = { findAndModify, findandmodify: findAndModify }
