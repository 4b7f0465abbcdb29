import { Decimal128, Double, Int32, Long } from 'bson'
import { arithmetic, fitsLong, intOrLong, isIntegral, toBigInt, toDecimal, total } from '../bson/arithmetic.ts'
import { decimalArithmetic, decimalFromDouble, integerOf, type Rounding, roundDecimal } from '../bson/decimal.ts'
import { isNumeric, type Numeric, toNumber, truthy } from '../bson/numbers.ts'
import { type ErrorName, fail } from '../errors.ts'
import { int32, onValues, shownType } from './arguments.ts'
import { isNullish, type Operator } from './scope.ts'
import { assertTime } from './time-zone.ts'

/** An operator on numbers that is null if any of them is. The values before a null are checked. */
const onNumbers = (
  arity: Parameters<typeof onValues>[0],
  code: ErrorName,
  apply: (numbers: readonly Numeric[], name: string) => unknown,
): Operator =>
  onValues(arity, (values, name) => {
    for (const value of values) {
      if (isNullish(value)) return null
      if (!isNumeric(value)) fail(`${name} only supports numeric types, not ${shownType(value)}`, code)
    }
    return apply(values.filter(isNumeric), name)
  })

/** An operator on one number, which leaves ints and longs as they are. */
const towards = (double: (value: number) => number, rounding: Rounding): Operator =>
  onNumbers(1, 'Location28765', ([value = 0]) => {
    if (value instanceof Decimal128) return roundDecimal(value, 0, rounding)
    return isIntegral(value) ? value : new Double(double(toNumber(value)))
  })

const absolute: Operator = onNumbers(1, 'Location28765', ([value = 0]) => {
  if (value instanceof Decimal128) return Decimal128.fromString(value.toString().replace(/^-/, ''))
  if (!isIntegral(value)) return new Double(Math.abs(toNumber(value)))
  const exact = toBigInt(value)
  const result = exact < 0n ? -exact : exact
  if (!fitsLong(result)) fail("can't take $abs of long long min", 'Location28680')
  return value instanceof Long ? Long.fromBigInt(result) : intOrLong(result)
})

/** Milliseconds to add to a date: rounded, as MongoDB does. */
function shifted(date: Date, amount: Numeric): Date {
  return new Date(assertTime(assertTime(date.getTime()) + roundHalfAway(toNumber(amount)), 'Overflow'))
}

const roundHalfAway = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))

const add: Operator = onValues('any', values => {
  let date: Date | undefined
  const numbers: Numeric[] = []
  for (const value of values) {
    if (isNullish(value)) return null
    if (isNumeric(value)) numbers.push(value)
    else if (!(value instanceof Date))
      fail(`$add only supports numeric or date types, not ${shownType(value)}`, 'TypeMismatch')
    else if (date) fail('only one date allowed in an $add expression', 'Location16612')
    else date = value
  }
  return date ? numbers.reduce(shifted, date) : total('+', numbers)
})

const subtract: Operator = onValues(2, ([a, b]) => {
  if (isNumeric(a) && isNumeric(b)) return arithmetic('-', a, b)
  if (isNullish(a) || isNullish(b)) return null
  if (a instanceof Date && b instanceof Date) return Long.fromNumber(assertTime(a.getTime()) - assertTime(b.getTime()))
  if (a instanceof Date && isNumeric(b)) return shifted(a, arithmetic('-', new Int32(0), b))
  return fail(`can't $subtract ${shownType(b)} from ${shownType(a)}`, 'TypeMismatch')
})

/** An operator on two numbers that does not take zero as the second. */
const quotient = (
  codes: { readonly type: ErrorName; readonly zero: ErrorName; readonly decimalZero: ErrorName },
  operation: '/' | '%',
  double: (a: number, b: number) => Numeric,
  integral: (a: Int32 | Long, b: Int32 | Long) => Numeric,
): Operator =>
  onValues(2, ([a, b], name) => {
    if (!isNumeric(a) || !isNumeric(b)) {
      if (isNullish(a) || isNullish(b)) return null
      return fail(`${name} only supports numeric types, not ${shownType(a)} and ${shownType(b)}`, codes.type)
    }
    const isDecimal = a instanceof Decimal128 || b instanceof Decimal128
    if (!truthy(b)) return fail(`can't ${name} by zero`, isDecimal ? codes.decimalZero : codes.zero)
    if (isDecimal) return decimalArithmetic(operation, toDecimal(a), toDecimal(b))
    return isIntegral(a) && isIntegral(b) ? integral(a, b) : double(toNumber(a), toNumber(b))
  })

const divideDoubles = (a: number, b: number): Double => new Double(a / b)
const divide = quotient(
  { type: 'TypeMismatch', zero: 'BadValue', decimalZero: 'BadValue' },
  '/',
  divideDoubles,
  (a, b) => divideDoubles(toNumber(a), toNumber(b)),
)
const mod = quotient(
  { type: 'Location16611', zero: 'Location16610', decimalZero: 'Location5733415' },
  '%',
  (a, b) => new Double(a % b),
  (a, b) => {
    const rest = toBigInt(a) % toBigInt(b)
    return a instanceof Long || b instanceof Long ? Long.fromBigInt(rest) : new Int32(Number(rest))
  },
)

/** `$round` and `$trunc`, with an optional number of decimal places. */
const places = (rounding: Rounding): Operator =>
  onValues([1, 2], (values, name) => {
    const [value, given] = values
    if (isNullish(value)) return null
    if (!isNumeric(value)) return fail(`${name} only supports numeric types, not ${shownType(value)}`, 'Location51081')
    if (values.length > 1 && isNullish(given)) return null
    const count = values.length > 1 ? wholePlaces(given, name) : 0
    if (value instanceof Decimal128) return roundDecimal(value, count, rounding)
    if (isIntegral(value)) return roundedInteger(value, count, rounding, name)
    const decimal = roundDecimal(decimalFromDouble(toNumber(value), 'all'), count, rounding)
    return new Double(Number(decimal.toString()))
  })

function wholePlaces(value: unknown, name: string): number {
  const count = int32(value)
  if (count === undefined) return fail(`precision argument to ${name} must be a integral value`, 'Location51082')
  if (count < -20 || count > 100)
    fail(`cannot apply ${name} with precision value ${count} value must be in [-20, 100]`, 'Location51083')
  return count
}

function roundedInteger(value: Int32 | Long, count: number, rounding: Rounding, name: string): Int32 | Long {
  if (count >= 0) return value
  const result = integerOf(roundDecimal(toDecimal(value), count, rounding))
  if (!fitsLong(result)) fail(`invalid conversion from Decimal128 result in ${name}`, 'Location51080')
  return value instanceof Long ? Long.fromBigInt(result) : intOrLong(result)
}

export const numericOperators: Readonly<Record<string, Operator>> = {
  $abs: absolute,
  $add: add,
  $ceil: towards(Math.ceil, 'up'),
  $divide: divide,
  $floor: towards(Math.floor, 'down'),
  $mod: mod,
  $multiply: onNumbers('any', 'TypeMismatch', numbers => total('*', numbers)),
  $round: places('even'),
  $subtract: subtract,
  $trunc: places('zero'),
}
