import { createHash } from 'node:crypto'
import { Binary, BSONRegExp, Code, ObjectId, Timestamp } from 'bson'
import { isDoc } from './document.ts'
import { isNumeric, numberKey } from './numbers.ts'
import { typeOrder } from './types.ts'

/** Longer contents are replaced by their SHA-256: keys serve equality only, so their order does not matter. */
const longestContent = 256

/**
 * Encodes a value as bytes that are equal exactly when MongoDB considers the values equal: 1, 1.0 and NumberLong(1) share a key,
 * and the key order of documents counts. Keys are self-delimiting: those of a compound index are concatenated and searched by prefix.
 */
export function encodeKey(value: unknown): Buffer {
  let tag = typeOrder(value)
  let content = keyContent(value)
  if (content.byteLength > longestContent) {
    tag |= 0x80
    content = createHash('sha256').update(content).digest()
  }
  const head = Buffer.alloc(5)
  head.writeUInt8(tag, 0)
  head.writeUInt32BE(content.byteLength, 1)
  return Buffer.concat([head, content])
}

/** The key as text, for Map and Set. */
export const keyText = (value: unknown): string => encodeKey(value).toString('latin1')

function keyContent(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.alloc(0)
  if (typeof value === 'string') return Buffer.from(value)
  if (typeof value === 'boolean') return Buffer.of(Number(value))
  if (value instanceof ObjectId) return Buffer.from(value.id)
  if (isNumeric(value)) return Buffer.from(numberKey(value))
  if (value instanceof Date) return Buffer.from(String(value.getTime()))
  if (value instanceof Timestamp) return Buffer.from(value.toString())
  if (Array.isArray(value)) return Buffer.concat(value.map(encodeKey))
  if (value instanceof Binary) return Buffer.concat([Buffer.of(value.sub_type), value.value()])
  if (value instanceof BSONRegExp) return Buffer.from(`${value.pattern}\0${value.options}`)
  if (value instanceof Code) return Buffer.from(value.code)
  if (!isDoc(value)) return Buffer.from(String(value))
  return Buffer.concat(Object.entries(value).flatMap(([key, field]) => [encodeKey(key), encodeKey(field)]))
}

/** The smallest byte string above all that begin with `prefix`. */
export function prefixEnd(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  for (let index = end.length - 1; index >= 0; index--) {
    const byte = end[index] ?? 0
    if (byte < 0xff) {
      end[index] = byte + 1
      return end.subarray(0, index + 1)
    }
  }
  return Buffer.concat([prefix, Buffer.alloc(64, 0xff)])
}
