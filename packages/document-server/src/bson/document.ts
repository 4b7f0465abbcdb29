import { BSONError, DBRef, deserialize, serialize } from 'bson'
import { CommandError, fail } from '../errors.ts'
import { countSteps } from '../pace.ts'

/** A decoded BSON document. Numbers stay wrapped (Int32, Double, Long, Decimal128), so that none loses its type. */
export type Doc = Record<string, unknown>

/** The largest stored document, in bytes, as in MongoDB. */
export const maxDocumentBytes = 16 * 1024 * 1024
/** The deepest nesting of a document, as in MongoDB. */
const maxDepth = 200

const decodeOptions = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const
const dbRefMark = Buffer.from('$ref\0')

/** Decodes one BSON document. @throws CommandError if the bytes are not BSON */
export function decode(bytes: Uint8Array): Doc {
  try {
    const doc: Doc = deserialize(bytes, decodeOptions)
    // The codec turns {$ref, $id} into DBRef objects, but queries need plain documents.
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(dbRefMark)
      ? (withoutDbRefs(doc) as Doc)
      : doc
  } catch (error) {
    if (error instanceof BSONError) fail(`invalid BSON: ${error.message}`)
    if (error instanceof RangeError || error instanceof TypeError) fail('invalid BSON')
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

/** The largest document and what a reply adds to it. */
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

/** Whether a value is an embedded document, not an array, a scalar or a BSON wrapper. */
export function isDoc(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** The document's own field, never one inherited from Object.prototype. */
export function own(doc: Doc, key: string): unknown {
  return Object.hasOwn(doc, key) ? doc[key] : undefined
}

/**
 * Refuses what could harm the server itself, and what the codec cannot write back: the field names `__proto__` (also as a
 * segment of a dotted path) and `_bsontype`, and nesting deeper than MongoDB allows.
 */
export function assertHarmless(value: unknown, depth = 0): void {
  if (depth > maxDepth) fail(`document exceeds maximum nested object depth: ${maxDepth}`, 'Overflow')
  if (Array.isArray(value)) {
    for (const element of value) assertHarmless(element, depth + 1)
  } else if (isDoc(value)) {
    for (const key of Object.keys(value)) {
      if (key === '_bsontype' || (key.includes('__proto__') && key.split('.').includes('__proto__')))
        fail(`the field name '${key}' is refused by this server`)
      assertHarmless(value[key], depth + 1)
    }
  }
}

/**
 * A lower bound for the size of a value as BSON, close to it. Stops counting above `most`: an expression can put one large value
 * into a document a thousand times.
 */
export function roughSize(value: unknown, most = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  countSteps()
  let size = 5
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length && size <= most; at++) size += 3 + roughSize(value[at], most - size)
    return size
  }
  if (!isDoc(value)) return 'length' in value && typeof value.length === 'function' ? Number(value.length()) : 8
  for (const [name, field] of Object.entries(value)) {
    size += 2 + name.length + roughSize(field, most - size)
    if (size > most) break
  }
  return size
}
