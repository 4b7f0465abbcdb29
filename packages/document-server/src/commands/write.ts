import { Int32, ObjectId } from 'bson'
import { type Doc, encode, isDoc, maxDocumentBytes } from '../bson/document.ts'
import { CommandError, fail } from '../errors.ts'
import { assertId, type Collection, type Row } from '../storage/collection.ts'
import { compileUpdate, isReplacement } from '../update/update.ts'
import { rawBytes } from '../wire/messages.ts'
import { changeAll, changeFirst, modifyRow, upsert } from './change-rows.ts'
import { type Command, collectionName, type Engine, Options, type Request } from './command.ts'

/** The most documents or statements in one writing command, as in MongoDB. */
const mostStatements = 100_000

/** Collects the failures of a command's statements by MongoDB's rules. */
class WriteErrors {
  readonly #ordered: boolean
  readonly #list: Doc[] = []

  /** @throws CommandError if there are no statements, or too many */
  constructor(statements: number, { options }: Request) {
    if (statements === 0 || statements > mostStatements)
      fail(`Write batch sizes must be between 1 and ${mostStatements}. Got ${statements} operations.`)
    this.#ordered = options.bool('ordered', true)
  }

  /** After a failure, an ordered command stops and an unordered one goes on. */
  get stopped(): boolean {
    return this.#ordered && this.#list.length > 0
  }

  /** Records the failure of a statement. An error that is not the statement's own fault ends the command. */
  add(index: number, error: unknown): void {
    if (!(error instanceof CommandError)) throw error
    this.#list.push({ index: new Int32(index), code: new Int32(error.code), errmsg: error.message, ...error.details })
  }

  /** Adds `writeErrors` to the reply if there were failures. */
  addTo(reply: Doc): Doc {
    return this.#list.length > 0 ? { ...reply, writeErrors: this.#list } : reply
  }
}

/** Runs the statements one after the other. What succeeded stays. */
async function runStatements(
  request: Request,
  statements: readonly Options[],
  run: (statement: Options, index: number) => Promise<void>,
): Promise<WriteErrors> {
  const errors = new WriteErrors(statements.length, request)
  for (const [index, statement] of statements.entries()) {
    await run(statement, index).catch(error => errors.add(index, error))
    if (errors.stopped) break
  }
  return errors
}

const insert: Command = {
  options: 'insert documents ordered bypassDocumentValidation',
  async run(request, engine) {
    const { options, pace } = request
    const documents = options.docs('documents') ?? []
    const errors = new WriteErrors(documents.length, request)
    let [n, next] = [0, 0]
    const insertSome = (): void => {
      const collection = engine.catalog.require(request.database, collectionName(request))
      for (let isDue = false; !isDue && !errors.stopped && next < documents.length; next++) {
        try {
          isDue = pace.needsPause()
          const { doc, bytes } = storedForm(documents[next] ?? {})
          collection.insert(doc, bytes)
          n++
        } catch (error) {
          errors.add(next, error)
        }
      }
    }
    while (next < documents.length && !errors.stopped) {
      if (pace.needsPause()) await pace.pause()
      engine.database.write(insertSome)
    }
    return errors.addTo({ n: new Int32(n) })
  },
}

/** Keeps the bytes as they came if `_id` already is the first field, so that nothing about the document changes. */
function storedForm(given: Doc): { doc: Doc; bytes: Uint8Array } {
  const bytes = rawBytes(given)
  // The first element of a document: its type at byte 4, then its name.
  if (bytes?.subarray(5, 9).equals(idName)) {
    if (bytes.byteLength > maxDocumentBytes)
      fail(
        `object to insert too large. size in bytes: ${bytes.byteLength}, max size: ${maxDocumentBytes}`,
        'BSONObjectTooLarge',
      )
    return { doc: given, bytes }
  }
  const { _id: id, ...rest } = given
  const doc = { _id: Object.hasOwn(given, '_id') ? id : new ObjectId(), ...rest }
  assertId(doc._id)
  return { doc, bytes: encode(doc) }
}

const idName = Buffer.from('_id\0')

const update: Command = {
  options: 'update updates ordered bypassDocumentValidation let',
  async run(request, engine) {
    const totals = { n: 0, nModified: 0, upserted: [] as Doc[] }
    const errors = await runStatements(request, updateStatements(request.options), async (statement, index) => {
      const outcome = await runUpdate(request, engine, statement)
      totals.n += outcome.n
      totals.nModified += outcome.nModified
      if (outcome.upserted) totals.upserted.push({ index: new Int32(index), _id: outcome.upserted._id })
    })
    const reply: Doc = { n: new Int32(totals.n), nModified: new Int32(totals.nModified) }
    if (totals.upserted.length > 0) reply.upserted = totals.upserted
    return errors.addTo(reply)
  },
}

/** All statements are checked before the first one runs: a malformed command does nothing. */
const updateStatements = (options: Options): Options[] =>
  (options.docs('updates') ?? []).map(statement =>
    new Options(statement, 'update.updates')
      .allow('q u c upsert multi collation arrayFilters hint')
      .refuse('c', () => false),
  )

async function runUpdate(
  request: Request,
  engine: Engine,
  options: Options,
): Promise<{ n: number; nModified: number; upserted?: Doc }> {
  const filter = options.doc('q') ?? {}
  const change = options.raw('u')
  const multi = options.bool('multi')
  if (multi && isReplacement(change) && isDoc(change))
    fail('multi update is not supported for replacement-style update', 'FailedToParse')
  const { variables } = request
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
  options: 'delete deletes ordered let',
  async run(request, engine) {
    let n = 0
    const statements = (request.options.docs('deletes') ?? []).map(statement =>
      new Options(statement, 'delete.deletes').allow('q limit collation hint'),
    )
    const errors = await runStatements(request, statements, async statement => {
      n += await runDelete(request, engine, statement)
    })
    return errors.addTo({ n: new Int32(n) })
  },
}

async function runDelete(request: Request, engine: Engine, options: Options): Promise<number> {
  const limit = options.number('limit')
  if (limit !== 0 && limit !== 1) fail('The limit field in delete objects must be 0 or 1.', 'FailedToParse')
  const choice = { filter: options.doc('q') ?? {}, variables: request.variables }
  if (limit === 0) return changeAll(request, engine, choice, (collection, row) => collection.remove(row))
  return changeFirst(request, engine, choice, (collection, row) => {
    if (row) collection?.remove(row)
    return row ? 1 : 0
  })
}

export const writeCommands = { insert, update, delete: deletes }
