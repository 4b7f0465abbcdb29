import { Code } from 'bson'

/** One row per BSON type: its `$type` alias and number, its place in MongoDB's order of types, and the codec's class for it. */
const table = {
  minKey: { number: -1, order: 0, class: 'MinKey' },
  undefined: { number: 6, order: 5, class: undefined },
  null: { number: 10, order: 5, class: undefined },
  double: { number: 1, order: 10, class: 'Double' },
  int: { number: 16, order: 10, class: 'Int32' },
  long: { number: 18, order: 10, class: 'Long' },
  decimal: { number: 19, order: 10, class: 'Decimal128' },
  string: { number: 2, order: 15, class: undefined },
  symbol: { number: 14, order: 15, class: 'BSONSymbol' },
  object: { number: 3, order: 20, class: undefined },
  array: { number: 4, order: 25, class: undefined },
  binData: { number: 5, order: 30, class: 'Binary' },
  objectId: { number: 7, order: 35, class: 'ObjectId' },
  bool: { number: 8, order: 40, class: undefined },
  date: { number: 9, order: 45, class: undefined },
  timestamp: { number: 17, order: 47, class: 'Timestamp' },
  regex: { number: 11, order: 50, class: 'BSONRegExp' },
  javascript: { number: 13, order: 60, class: 'Code' },
  javascriptWithScope: { number: 15, order: 65, class: undefined },
  maxKey: { number: 127, order: 127, class: 'MaxKey' },
} as const

export type TypeName = keyof typeof table

const byClass = new Map<unknown, TypeName>(Object.entries(table).map(([name, row]) => [row.class, name as TypeName]))
byClass.delete(undefined)

/** The BSON type of a decoded value. A missing field (`undefined`) is `'undefined'`. */
export function typeName(value: unknown): TypeName {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'undefined') return 'undefined'
  if (typeof value === 'number') return 'double'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Date) return 'date'
  if (value instanceof Code && value.scope) return 'javascriptWithScope'
  return (typeof value === 'object' && '_bsontype' in value && byClass.get(value._bsontype)) || 'object'
}

/** The place of the value's type in MongoDB's order. Types that compare with each other share one. */
export const typeOrder = (value: unknown): number => table[typeName(value)].order

/** The type that a `$type` argument means (alias or number); `'number'` stands for all four. */
export function typeByAlias(alias: string | number): TypeName | 'number' | undefined {
  if (alias === 'number') return 'number'
  for (const [name, row] of Object.entries(table)) if (name === alias || row.number === alias) return name as TypeName
  return undefined
}
