import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson'

/** One row per BSON type: its `$type` alias and number, and its place in MongoDB's order of types. */
const table = {
  minKey: { number: -1, order: 0 },
  undefined: { number: 6, order: 5 },
  null: { number: 10, order: 5 },
  double: { number: 1, order: 10 },
  int: { number: 16, order: 10 },
  long: { number: 18, order: 10 },
  decimal: { number: 19, order: 10 },
  string: { number: 2, order: 15 },
  symbol: { number: 14, order: 15 },
  object: { number: 3, order: 20 },
  array: { number: 4, order: 25 },
  binData: { number: 5, order: 30 },
  objectId: { number: 7, order: 35 },
  bool: { number: 8, order: 40 },
  date: { number: 9, order: 45 },
  timestamp: { number: 17, order: 47 },
  regex: { number: 11, order: 50 },
  javascript: { number: 13, order: 60 },
  maxKey: { number: 127, order: 127 },
} as const

export type TypeName = keyof typeof table

/** The BSON type of a decoded value. A missing field (`undefined`) is `'undefined'`. */
export function typeName(value: unknown): TypeName {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'undefined':
      return 'undefined'
    case 'number':
      return 'double'
    default:
      return objectTypeName(value)
  }
}

function objectTypeName(value: unknown): TypeName {
  if (value === null) return 'null'
  if (value instanceof Int32) return 'int'
  if (value instanceof Double) return 'double'
  if (value instanceof ObjectId) return 'objectId'
  if (value instanceof Date) return 'date'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Timestamp) return 'timestamp' // before Long, which it extends
  if (value instanceof Long) return 'long'
  if (value instanceof Decimal128) return 'decimal'
  if (value instanceof Binary) return 'binData'
  if (value instanceof BSONRegExp) return 'regex'
  if (value instanceof BSONSymbol) return 'symbol'
  if (value instanceof Code) return 'javascript'
  if (value instanceof MinKey) return 'minKey'
  if (value instanceof MaxKey) return 'maxKey'
  return 'object'
}

/** The place of the value's type in MongoDB's order; equal for types that compare with each other. */
export const typeOrder = (value: unknown): number => table[typeName(value)].order

/** Type name for a `$type` argument (alias or number); `'number'` stands for all four. */
export function typeByAlias(alias: string | number): TypeName | 'number' | undefined {
  if (alias === 'number') return 'number'
  for (const [name, row] of Object.entries(table)) if (name === alias || row.number === alias) return name as TypeName
  return undefined
}
