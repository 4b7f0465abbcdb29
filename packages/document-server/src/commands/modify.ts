import { ObjectId } from 'bson'
import { type Doc, decode, encode } from '../bson/document.ts'
import type { Collection, Row } from '../storage/collection.ts'
import { isReplacement, type Update } from '../update/update.ts'
import { upsertSeed } from '../update/upsert.ts'

export interface Modified {
  readonly doc: Doc
  readonly bytes: Uint8Array
  /** Whether the stored bytes are others than before. */
  readonly changed: boolean
}

/** Applies an update to a stored row. @throws CommandError when it cannot be applied or breaks a unique index */
export function modifyRow(collection: Collection, row: Row, update: Update): Modified {
  // The row's own decoded form is still needed for its index entries, so the update works on another one.
  const doc = update(decode(row.bytes), false)
  const bytes = encode(doc)
  const changed = Buffer.compare(bytes, row.bytes) !== 0
  if (changed) collection.replace(row.rid, row.doc, doc, bytes)
  return { doc, bytes, changed }
}

/** Inserts what an upsert makes of its filter and update. */
export function upsert(collection: Collection, update: unknown, compiled: Update, filter: Doc): Doc {
  const made = compiled(upsertSeed(filter, isReplacement(update)), true)
  const { _id = new ObjectId(), ...rest } = made
  const doc = { _id, ...rest }
  collection.insert(doc, encode(doc))
  return doc
}
