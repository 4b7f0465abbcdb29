import { Binary, BSONRegExp, Code, Long, ObjectId } from 'bson'
import { countSteps } from '../pace.ts'
import { type Doc, isDoc } from './document.ts'
import { compareNumbers, type Numeric, numberOrder, sign } from './numbers.ts'
import { typeOrder } from './types.ts'

/** Compares two decoded values in MongoDB's sort order: by type first, then by value. */
export function compareValues(a: unknown, b: unknown): number {
  countSteps()
  const [order, other] = [typeOrder(a), typeOrder(b)]
  if (order !== other) return sign(order, other)
  return order === numberOrder ? compareNumbers(a as Numeric, b as Numeric) : compareSameType(a, b)
}

export const equalValues = (a: unknown, b: unknown): boolean => compareValues(a, b) === 0

function compareSameType(a: unknown, b: unknown): number {
  if (typeof a === 'boolean') return sign(Number(a), Number(b))
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
  return isDoc(a) && isDoc(b) ? compareDocs(a, b) : 0 // the rest: null, undefined, MinKey, MaxKey
}

const isText = (value: unknown): boolean => typeof value === 'string' || typeOrder(value) === 15

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const order = compareValues(a[index], b[index])
    if (order !== 0) return order
  }
  return sign(a.length, b.length)
}

/** Compares field by field in stored order: type, then name, then value. Key order matters, as in MongoDB. */
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

/** The order of the UTF-8 bytes. The order of UTF-16 units differs only between surrogates and U+E000 and above. */
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
