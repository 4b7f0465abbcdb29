import { BSONError, DBRef, deserialize, serialize } from 'bson'
import { CommandError } from '../errors.ts'
import { roughSize } from './size.ts'

/** A decoded BSON document. Numbers stay wrapped (Int32, Double, Long, Decimal128), so nothing loses its type. */
export type Doc = Record<string, unknown>

/** Largest stored document, in bytes, as in MongoDB. */
export const maxDocumentBytes = 16 * 1024 * 1024
/** Deepest nesting of a document, as in MongoDB. */
const maxDepth = 200

const decodeOptions = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const
const dbRefMark = Buffer.from('$ref\0')

/** Decodes one BSON document. @throws CommandError when the bytes are not BSON */
export function decode(bytes: Uint8Array): Doc {
  try {
    const doc: Doc = deserialize(bytes, decodeOptions)
    // The codec turns {$ref, $id} into DBRef objects; a plain document is what queries have to see.
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(dbRefMark)
      ? (withoutDbRefs(doc) as Doc)
      : doc
  } catch (error) {
    if (error instanceof BSONError || error instanceof RangeError || error instanceof TypeError)
      throw new CommandError('BadValue', `invalid BSON: ${error.message}`)
    throw error
  }
}

/** Encodes one document. @throws CommandError above 16 MiB */
export function encode(doc: Doc): Uint8Array {
  const size = roughSize(doc, maxReplyBytes)
  if (size > maxReplyBytes) throw tooLarge(size)
  const bytes = serialize(doc, { ignoreUndefined: false })
  if (bytes.byteLength > maxReplyBytes) throw tooLarge(bytes.byteLength)
  return bytes
}

/** A document and what a reply adds to it. */
const maxReplyBytes = maxDocumentBytes + 16 * 1024

const tooLarge = (size: number): CommandError =>
  new CommandError('BSONObjectTooLarge', `BSONObj size: ${size} is invalid. Size must be between 0 and 16793600(16MB)`)

function withoutDbRefs(value: unknown): unknown {
  if (value instanceof DBRef) {
    const plain: Doc = { $ref: value.collection, $id: withoutDbRefs(value.oid) }
    if (value.db !== undefined) plain.$db = value.db
    for (const [key, field] of Object.entries(value.fields)) plain[key] = withoutDbRefs(field)
    return plain
  }
  if (Array.isArray(value)) return value.map(withoutDbRefs)
  if (!isDoc(value)) return value
  for (const [key, field] of Object.entries(value)) value[key] = withoutDbRefs(field)
  return value
}

/** Whether a value is an embedded document (and not an array, a scalar or a BSON wrapper). */
export function isDoc(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** The field's own value; never one inherited from Object.prototype. */
export function own(doc: Doc, key: string): unknown {
  return Object.hasOwn(doc, key) ? doc[key] : undefined
}

/**
 * Refuses what could harm the server itself or that the codec cannot write back: field names `__proto__` (alone or
 * as a segment of a dotted path) and `_bsontype`, and nesting deeper than MongoDB allows.
 */
export function assertHarmless(value: unknown, depth = 0): void {
  if (depth > maxDepth) throw new CommandError('Overflow', `document exceeds maximum nested object depth: ${maxDepth}`)
  if (Array.isArray(value)) {
    for (const element of value) assertHarmless(element, depth + 1)
  } else if (isDoc(value)) {
    for (const key of Object.keys(value)) {
      if (key === '_bsontype' || (key.includes('__proto__') && key.split('.').includes('__proto__')))
        throw new CommandError('BadValue', `the field name '${key}' is refused by this server`)
      assertHarmless(value[key], depth + 1)
    }
  }
}
