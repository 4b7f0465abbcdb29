import { Int32, ObjectId } from 'bson'
import { type Doc, encode, maxDocumentBytes } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { rawBytes } from '../wire/op-msg.ts'
import { type Command, collectionName } from './command.ts'
import { runStatements, withErrors } from './write-result.ts'

const insert: Command = {
  options: ['insert', 'documents', 'ordered', 'bypassDocumentValidation'],
  writes: true,
  run(request, engine) {
    const { options } = request
    const documents = options.docs('documents') ?? []
    const ordered = options.raw('ordered') === undefined || options.bool('ordered')
    const collection = engine.catalog.require(request.database, collectionName(request))
    let n = 0
    const writeErrors = runStatements(documents, ordered, given => {
      request.tick()
      const { doc, bytes } = storedForm(given)
      collection.insert(doc, bytes)
      n++
    })
    return withErrors({ n: new Int32(n) }, writeErrors)
  },
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
