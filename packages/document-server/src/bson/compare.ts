import { Binary, BSONRegExp, Code, Long, ObjectId } from 'bson'
import { step } from '../pace.ts'
import type { Doc } from './document.ts'
import { compareNumbers, isNumeric } from './numbers.ts'
import { typeOrder } from './types.ts'

const sign = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

/** Compares two decoded values in MongoDB's sort order (types first, then values). */
export function compareValues(a: unknown, b: unknown): number {
  step()
  const order = typeOrder(a)
  return sign(order, typeOrder(b)) || compareSameType(a, b)
}

export const equalValues = (a: unknown, b: unknown): boolean => compareValues(a, b) === 0

function compareSameType(a: unknown, b: unknown): number {
  if (typeof a === 'boolean') return sign(Number(a), Number(b))
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b)
  if (a instanceof ObjectId && b instanceof ObjectId) return Buffer.compare(a.id, b.id)
  if (a instanceof Date && b instanceof Date) return sign(a.getTime(), b.getTime())
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b)
  if (a instanceof Long && b instanceof Long) return a.toUnsigned().compare(b.toUnsigned()) // timestamps
  if (a instanceof Binary && b instanceof Binary)
    return sign(a.length(), b.length()) || sign(a.sub_type, b.sub_type) || Buffer.compare(a.value(), b.value())
  if (a instanceof BSONRegExp && b instanceof BSONRegExp)
    return compareStrings(a.pattern, b.pattern) || compareStrings(a.options, b.options)
  if (a instanceof Code && b instanceof Code) return compareStrings(a.code, b.code)
  if (isText(a) && isText(b)) return compareStrings(String(a), String(b))
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && typeOrder(a) === 20)
    return compareDocs(a as Doc, b as Doc)
  return 0 // null, undefined, MinKey, MaxKey
}

const isText = (value: unknown): boolean => typeof value === 'string' || typeOrder(value) === 15

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const order = compareValues(a[index], b[index])
    if (order !== 0) return order
  }
  return sign(a.length, b.length)
}

/** Field by field in stored order: type, then name, then value. Key order matters, as in MongoDB. */
function compareDocs(a: Doc, b: Doc): number {
  const keysA = Object.keys(a)
  const keysB = Object.keys(b)
  for (let index = 0; index < keysA.length && index < keysB.length; index++) {
    const [keyA = '', keyB = ''] = [keysA[index], keysB[index]]
    const order =
      sign(typeOrder(a[keyA]), typeOrder(b[keyB])) || compareStrings(keyA, keyB) || compareValues(a[keyA], b[keyB])
    if (order !== 0) return order
  }
  return sign(keysA.length, keysB.length)
}

/** Order of the UTF-8 bytes. UTF-16 units differ from it only where surrogates meet U+E000 and above. */
function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (x !== y) return sign(byCodePoint(x), byCodePoint(y))
  }
  return sign(a.length, b.length)
}

const byCodePoint = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)
