import { Decimal128, Double, deserialize, EJSON, Long, serialize } from 'bson'
import { type Document, MongoServerError } from 'mongodb'

export const double = (value: number): Double => new Double(value)
export const long = (value: string | number): Long => Long.fromString(String(value))
export const decimal = (text: string): Decimal128 => Decimal128.fromString(text)
export const date = (text: string): Date => new Date(text)

/** What is expected instead of a value: that there is none, or that the server refuses with a code. */
export const missing = { outcome: 'missing' } as const
export const code = (number: number): { readonly outcome: string } => ({ outcome: `code ${number}` })

const exact = (value: unknown): string => {
  const stored = deserialize(serialize({ value }), { promoteValues: false, bsonRegExp: true })
  return EJSON.stringify(stored.value, { relaxed: false })
}

/** A text that tells values apart by type as well. */
export const shown = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'outcome' in value ? String(value.outcome) : exact(value)

/** The outcome of an action as `shown` writes the expected one. An error has to have a code and none of JavaScript's words. */
export async function outcome(action: () => Promise<unknown>): Promise<string> {
  try {
    return shown(await action())
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error
    return `code ${error.code}`
  }
}

/** `[argument, expected result, document]` for one operator. Each runs as `{ $operator: argument }` over the document. */
type Row = readonly [argument: unknown, expected: unknown, doc?: Document]
export type Table = Readonly<Record<string, readonly Row[]>>
