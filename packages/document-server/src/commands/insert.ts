import { Int32, ObjectId } from 'bson'
import { type Doc, encode, maxDocumentBytes } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { rawBytes } from '../wire/op-msg.ts'
import { type Command, collectionName, type Engine, type Request } from './command.ts'
import { WriteErrors } from './write-result.ts'

const insert: Command = {
  options: ['insert', 'documents', 'ordered', 'bypassDocumentValidation'],
  async run(request, engine) {
    const { options, pace } = request
    const documents = options.docs('documents') ?? []
    const errors = new WriteErrors(documents.length, options.raw('ordered') === undefined || options.bool('ordered'))
    let n = 0
    let next = 0
    while (next < documents.length && !errors.stopped) {
      if (pace.tick()) await pace.pause()
      const slice = engine.database.write(() => insertSome(request, engine, documents, next, errors))
      n += slice.inserted
      next = slice.next
    }
    return errors.in({ n: new Int32(n) })
  },
}

/** Inserts documents until others should have a turn. */
function insertSome(
  request: Request,
  engine: Engine,
  documents: readonly Doc[],
  from: number,
  errors: WriteErrors,
): { inserted: number; next: number } {
  const collection = engine.catalog.require(request.database, collectionName(request))
  let inserted = 0
  let next = from
  for (const given of documents.slice(from)) {
    const index = next++
    try {
      const due = request.pace.tick()
      const { doc, bytes } = storedForm(given)
      collection.insert(doc, bytes)
      inserted++
      if (due) break
    } catch (error) {
      errors.add(index, error)
      if (errors.stopped) break
    }
  }
  return { inserted, next }
}

/** The bytes as they came when `_id` is in first place already, so that nothing about the document changes. */
function storedForm(given: Doc): { doc: Doc; bytes: Uint8Array } {
  const raw = rawBytes(given)
  if (raw && beginsWithId(raw)) {
    if (raw.byteLength > maxDocumentBytes)
      throw new CommandError(
        'BSONObjectTooLarge',
        `object to insert too large. size in bytes: ${raw.byteLength}, max size: ${maxDocumentBytes}`,
      )
    return { doc: given, bytes: raw }
  }
  const { _id = new ObjectId(), ...rest } = given
  const doc = { _id, ...rest }
  return { doc, bytes: encode(doc) }
}

/** A document's first element: type byte at 4, then its name. */
const beginsWithId = (raw: Uint8Array): boolean => raw[5] === 0x5f && raw[6] === 0x69 && raw[7] === 0x64 && raw[8] === 0

export const insertCommands: Readonly<Record<string, Command>> = { insert }
