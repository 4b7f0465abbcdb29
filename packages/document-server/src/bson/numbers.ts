import { Decimal128, Double, Int32, Long, Timestamp } from 'bson'
import { CommandError } from '../errors.ts'
import { step } from '../pace.ts'

export type Numeric = number | Int32 | Double | Long | Decimal128

export function isNumeric(value: unknown): value is Numeric {
  return (
    typeof value === 'number' ||
    value instanceof Int32 ||
    value instanceof Double ||
    (value instanceof Long && !(value instanceof Timestamp)) ||
    value instanceof Decimal128
  )
}

/** The nearest JavaScript number. */
export function toNumber(value: Numeric): number {
  if (typeof value === 'number') return value
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (value instanceof Long) return value.toNumber()
  return Number(value.toString())
}

/** Exact value as `coefficient × 10^exponent`, or a non-finite number. */
type Exact = number | { coefficient: bigint; exponent: number }

function exact(value: Numeric): Exact {
  if (value instanceof Long) return { coefficient: value.toBigInt(), exponent: 0 }
  if (value instanceof Decimal128) return exactDecimal(value.toString())
  const double = toNumber(value)
  if (!Number.isFinite(double)) return double
  if (Number.isInteger(double)) return { coefficient: BigInt(double), exponent: 0 }
  // A finite double is an integer times 2^-k, so it is an integer times 10^-k after multiplying by 5^k.
  let shift = 0
  let scaled = double
  while (!Number.isInteger(scaled)) {
    scaled *= 2
    shift++
  }
  return { coefficient: BigInt(scaled) * 5n ** BigInt(shift), exponent: -shift }
}

function exactDecimal(text: string): Exact {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/i.exec(text)
  if (!match) return Number(text)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  return { coefficient: BigInt(`${sign}${whole}${fraction}`), exponent: Number(exponent) - fraction.length }
}

/** Compares by exact value over all number types; NaN is the smallest, as in MongoDB. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  const x = toNumber(a)
  const y = toNumber(b)
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : -1) : 1
  if (x < y) return -1
  if (x > y) return 1
  // Equal as doubles: only Long and Decimal128 may still differ.
  if (!(a instanceof Long || a instanceof Decimal128 || b instanceof Long || b instanceof Decimal128)) return 0
  return compareExact(exact(a), exact(b))
}

function compareExact(a: Exact, b: Exact): number {
  if (typeof a === 'number' || typeof b === 'number') {
    const x = typeof a === 'number' ? a : 0
    const y = typeof b === 'number' ? b : 0
    return x < y ? -1 : x > y ? 1 : 0
  }
  const exponent = Math.min(a.exponent, b.exponent)
  const x = a.coefficient * 10n ** BigInt(a.exponent - exponent)
  const y = b.coefficient * 10n ** BigInt(b.exponent - exponent)
  return x < y ? -1 : x > y ? 1 : 0
}

/** A text that is the same for all numbers that compare equal, whatever their type. */
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

const limits = { int: [-(2n ** 31n), 2n ** 31n - 1n], long: [-(2n ** 63n), 2n ** 63n - 1n] } as const
const within = (value: bigint, [low, high]: readonly [bigint, bigint]): boolean => value >= low && value <= high

/** `a + b` or `a × b` with MongoDB's result types: int → long on overflow, double if either is one. */
export function arithmetic(operator: '+' | '*', a: Numeric, b: Numeric): Int32 | Long | Double {
  if (a instanceof Decimal128 || b instanceof Decimal128)
    throw new CommandError('BadValue', 'arithmetic on Decimal128 is not supported by this server')
  step()
  if (a instanceof Int32 && b instanceof Int32) {
    const small = operator === '+' ? a.value + b.value : a.value * b.value
    if (small >= -(2 ** 31) && small < 2 ** 31) return new Int32(small)
  }
  if (a instanceof Double || b instanceof Double || typeof a === 'number' || typeof b === 'number') {
    const [x, y] = [toNumber(a), toNumber(b)]
    return new Double(operator === '+' ? x + y : x * y)
  }
  const x = a instanceof Int32 ? BigInt(a.value) : a.toBigInt()
  const y = b instanceof Int32 ? BigInt(b.value) : b.toBigInt()
  const result = operator === '+' ? x + y : x * y
  if (!within(result, limits.long)) throw new CommandError('BadValue', 'integer overflow: the result exceeds 64 bits')
  return Long.fromBigInt(result)
}

/** A whole number as int or long, anything else as double: what MongoDB's own replies use. */
export function wholeNumber(value: number): Int32 | Long | Double {
  if (!Number.isInteger(value)) return new Double(value)
  return within(BigInt(value), limits.int) ? new Int32(value) : Long.fromNumber(value)
}
