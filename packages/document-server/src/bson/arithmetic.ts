import { Decimal128, Double, Int32, Long, Timestamp } from 'bson'
import { countSteps } from '../pace.ts'
import { decimalArithmetic, decimalFromDouble } from './decimal.ts'
import { type Numeric, toNumber } from './numbers.ts'

type Operation = '+' | '-' | '*'

const longs = { least: -(2n ** 63n), most: 2n ** 63n - 1n }
const ints = { least: -(2n ** 31n), most: 2n ** 31n - 1n }
const within = (value: bigint, { least, most }: typeof longs): boolean => value >= least && value <= most

/** An int, or a long if the value does not fit. */
export const intOrLong = (value: bigint): Int32 | Long =>
  within(value, ints) ? new Int32(Number(value)) : Long.fromBigInt(value)

export const fitsLong = (value: bigint): boolean => within(value, longs)

export const isIntegral = (value: unknown): value is Int32 | Long =>
  value instanceof Int32 || (value instanceof Long && !(value instanceof Timestamp))
export const toBigInt = (value: Int32 | Long): bigint =>
  value instanceof Int32 ? BigInt(value.value) : value.toBigInt()

export function toDecimal(value: Numeric): Decimal128 {
  if (value instanceof Decimal128) return value
  return isIntegral(value) ? Decimal128.fromString(value.toString()) : decimalFromDouble(toNumber(value))
}

const doubles: Readonly<Record<Operation, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
}
const integers: Readonly<Record<Operation, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
}

/** Computes with MongoDB's types: the widest of both, a long for ints that overflow, and a double for longs that do. */
export function arithmetic(operation: Operation, a: Numeric, b: Numeric): Numeric {
  countSteps()
  if (a instanceof Decimal128 || b instanceof Decimal128)
    return decimalArithmetic(operation, toDecimal(a), toDecimal(b))
  if (isIntegral(a) && isIntegral(b)) {
    const result = integers[operation](toBigInt(a), toBigInt(b))
    if (a instanceof Int32 && b instanceof Int32) return intOrLong(result)
    if (fitsLong(result)) return Long.fromBigInt(result)
  }
  return new Double(doubles[operation](toNumber(a), toNumber(b)))
}

/** The sum or the product of a list. Ints that overflow only on the way remain ints. */
export function total(operation: '+' | '*', values: readonly Numeric[]): Numeric {
  let exact = operation === '+' ? 0n : 1n
  let isLong = false
  let inexact: Numeric | undefined
  for (const value of values) {
    if (!inexact && isIntegral(value)) {
      countSteps()
      const next = integers[operation](exact, toBigInt(value))
      isLong ||= value instanceof Long
      if (fitsLong(next)) exact = next
      else inexact = new Double(doubles[operation](Number(exact), toNumber(value)))
    } else inexact = arithmetic(operation, inexact ?? Long.fromBigInt(exact), value)
  }
  return inexact ?? (isLong ? Long.fromBigInt(exact) : intOrLong(exact))
}
