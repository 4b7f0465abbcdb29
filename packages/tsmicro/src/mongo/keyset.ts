import type { Document } from 'mongodb'
import type { CursorValue } from './cursor.ts'
import type { Direction, FullOrder } from './order.ts'

/**
 * The filter for what comes after a place in an order: for fields a, b it is "a is after, or a is the same and b is after".
 */
export function after(order: FullOrder, values: readonly CursorValue[]): Document {
  const alternatives: Document[] = []
  const same: Document[] = []
  for (const [index, [field, direction]] of order.entries()) {
    const value = values[index] ?? null
    const beyond = comesAfter(field, direction, value)
    if (beyond !== undefined) alternatives.push({ $and: [...same, beyond] })
    same.push({ [field]: { $eq: value } })
  }
  return { $or: alternatives }
}

/**
 * MongoDB sorts null and missing before everything, but `$gt` and `$lt` compare within one type only: null needs its own
 * cases. (`{field: null}` matches a missing field too.)
 */
function comesAfter(field: string, direction: Direction, value: CursorValue): Document | undefined {
  if (direction === 1) return value === null ? { [field]: { $ne: null } } : { [field]: { $gt: value } }
  if (value === null) return undefined
  return { $or: [{ [field]: { $lt: value } }, { [field]: { $eq: null } }] }
}
