import { Decimal128, Double, Int32, Long } from 'bson'
import { typeOrder } from './types.ts'

export type Numeric = number | Int32 | Double | Long | Decimal128

/** The place of numbers in MongoDB's order of types. */
export const numberOrder = typeOrder(0)

export const isNumeric = (value: unknown): value is Numeric => typeOrder(value) === numberOrder

/** The nearest JavaScript number. */
export function toNumber(value: Numeric): number {
  if (typeof value === 'number') return value
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (value instanceof Long) return value.toNumber()
  return Number(value.toString())
}

/** The exact value as `coefficient × 10^exponent`, or a non-finite number. */
type Exact = number | { coefficient: bigint; exponent: number }

function exact(value: Numeric): Exact {
  if (value instanceof Long) return { coefficient: value.toBigInt(), exponent: 0 }
  if (value instanceof Decimal128) return exactDecimal(value.toString())
  const double = toNumber(value)
  if (!Number.isFinite(double)) return double
  if (Number.isInteger(double)) return { coefficient: BigInt(double), exponent: 0 }
  // A finite double is an integer times 2^-k, which is that integer times 5^k times 10^-k.
  let shift = 0
  let scaled = double
  for (; !Number.isInteger(scaled); shift++) scaled *= 2
  return { coefficient: BigInt(scaled) * 5n ** BigInt(shift), exponent: -shift }
}

function exactDecimal(text: string): Exact {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/i.exec(text)
  if (!match) return Number(text)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  return { coefficient: BigInt(`${sign}${whole}${fraction}`), exponent: Number(exponent) - fraction.length }
}

/** -1, 0 or 1, as `a` is less than, equal to or greater than `b`. */
export const sign = <T extends number | bigint>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

/** Compares by exact value across all number types. NaN is the smallest, as in MongoDB. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  const [x, y] = [toNumber(a), toNumber(b)]
  if (Number.isNaN(x) || Number.isNaN(y)) return sign(Number(!Number.isNaN(x)), Number(!Number.isNaN(y)))
  // Numbers that are equal as doubles differ only if one of them is a Long or a Decimal128.
  const isExact = a instanceof Long || a instanceof Decimal128 || b instanceof Long || b instanceof Decimal128
  return sign(x, y) || (isExact ? compareExact(exact(a), exact(b)) : 0)
}

function compareExact(a: Exact, b: Exact): number {
  if (typeof a === 'number' || typeof b === 'number')
    return sign(typeof a === 'number' ? a : 0, typeof b === 'number' ? b : 0)
  const exponent = Math.min(a.exponent, b.exponent)
  const scaled = (value: Exclude<Exact, number>): bigint => value.coefficient * 10n ** BigInt(value.exponent - exponent)
  return sign(scaled(a), scaled(b))
}

/** A text that is the same for all numbers that compare as equal, across their types. */
export function numberKey(value: Numeric): string {
  const parts = exact(value)
  if (typeof parts === 'number') return String(parts)
  let { coefficient, exponent } = parts
  if (coefficient === 0n) return '0'
  while (coefficient % 10n === 0n) {
    coefficient /= 10n
    exponent++
  }
  return `${coefficient}e${exponent}`
}

/** A whole number as int or long, any other as double, as in MongoDB's own replies. */
export function wholeNumber(value: number): Int32 | Long | Double {
  if (!Number.isInteger(value)) return new Double(value)
  return value >= -(2 ** 31) && value < 2 ** 31 ? new Int32(value) : Long.fromNumber(value)
}

/** Whether MongoDB considers a value true: everything but false, null, missing and zero. */
export function truthy(value: unknown): boolean {
  if (isNumeric(value)) return compareNumbers(value, 0) !== 0
  return value !== false && value !== null && value !== undefined
}
