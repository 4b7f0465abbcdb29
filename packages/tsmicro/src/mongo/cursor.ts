import { BSON, ObjectId } from 'mongodb'
import { CursorError } from './cursor-error.ts'
import type { FullOrder } from './order.ts'

/** What a cursor may hold. Never an object: it goes into a filter, where an object may be an operator. */
export type CursorValue = string | number | boolean | null | Date | ObjectId

const maxLength = 4096

/** A place in an ordered list: the values of the sort fields of the last document seen, as opaque text. */
export function encodeCursor(order: FullOrder, values: readonly unknown[]): string {
  const known = values.map(value => (value === undefined ? null : value))
  if (!known.every(isCursorValue))
    throw new TypeError('only plain values, dates and ObjectIds can be sorted by a cursor')
  return Buffer.from(BSON.EJSON.stringify([shape(order), ...known], { relaxed: true })).toString('base64url')
}

/**
 * Cursors come from clients and are not signed: they hold nothing secret, and a changed one only leads to another place of
 * the same list. What is no cursor of this order is refused.
 * @throws {CursorError}
 */
export function decodeCursor(order: FullOrder, text: string): CursorValue[] {
  const [form, ...values] = parse(text)
  if (form !== shape(order) || values.length !== order.length || !values.every(isCursorValue)) throw refused()
  return values
}

function parse(text: string): unknown[] {
  const bytes = Buffer.from(text.slice(0, maxLength), 'base64url')
  // decoders pass over what they do not know: only the one spelling that we write is good
  if (bytes.toString('base64url') !== text) throw refused()
  try {
    const parsed: unknown = BSON.EJSON.parse(bytes.toString(), { relaxed: true })
    if (Array.isArray(parsed)) return parsed
  } catch (cause) {
    throw refused(cause)
  }
  throw refused()
}

/** A cursor of another list or of an older version with another order must not be taken for one of this. */
function shape(order: FullOrder): string {
  return order.map(([field, direction]) => `${direction === 1 ? '+' : '-'}${field}`).join('')
}

function isCursorValue(value: unknown): value is CursorValue {
  if (value === null || value instanceof ObjectId) return true
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

function refused(cause?: unknown): Error {
  return new CursorError('this is no cursor of this list', { cause })
}
