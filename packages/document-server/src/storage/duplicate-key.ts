import { EJSON, Int32 } from 'bson'
import type { Doc } from '../bson/document.ts'
import { encodeKey } from '../bson/key.ts'
import { CommandError } from '../errors.ts'
import type { Index } from './index-definition.ts'
import { keyTuples } from './index-keys.ts'

/** Error 11000 with the fields the driver's MongoServerError offers. `index` is `undefined` for the `_id`. */
export function duplicateKey(namespace: string, index: Index | undefined, doc: Doc, key?: Buffer): CommandError {
  const keyPattern = index?.key ?? { _id: new Int32(1) }
  const keyValue = index && key ? keyValueOf(index, doc, key) : { _id: doc._id }
  const shown = Object.entries(keyValue)
    .map(([name, value]) => `${name}: ${EJSON.stringify(value ?? null)}`)
    .join(', ')
  return new CommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespace} index: ${index?.name ?? '_id_'} dup key: { ${shown} }`,
    { keyPattern, keyValue },
  )
}

function keyValueOf(index: Index, doc: Doc, key: Buffer): Doc {
  const tuples = keyTuples(
    doc,
    index.fields.map(field => field.path),
  )
  const tuple = tuples.find(values => Buffer.concat(values.map(encodeKey)).equals(key)) ?? []
  return Object.fromEntries(index.fields.map((field, position) => [field.name, tuple[position] ?? null]))
}
