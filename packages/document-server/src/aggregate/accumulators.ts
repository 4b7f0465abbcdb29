import { Decimal128, Double } from 'bson'
import { arithmetic, isIntegral, toDecimal, total } from '../bson/arithmetic.ts'
import { compareValues } from '../bson/compare.ts'
import { decimalArithmetic, decimalFromDouble } from '../bson/decimal.ts'
import { keyText } from '../bson/key.ts'
import { isNumeric, type Numeric, toNumber } from '../bson/numbers.ts'
import { mergeObjects } from '../expression/objects.ts'

/** Computes one value from the values of a group. `undefined` entries stand for missing fields. */
export type Accumulator = (values: readonly unknown[]) => unknown

/**
 * The sum of the numbers among the values. Unlike `$add`, MongoDB sums doubles without adding up what each step rounds.
 */
function sum(values: readonly unknown[]): Numeric {
  const numbers = values.filter(isNumeric)
  const decimals = numbers.filter(value => value instanceof Decimal128)
  const others = numbers.filter(value => !(value instanceof Decimal128))
  const rest = others.every(isIntegral) ? total('+', others) : new Double(doubleSum(others))
  const asDecimal = isIntegral(rest) ? toDecimal(rest) : decimalFromDouble(toNumber(rest), 'all')
  return decimals.length === 0 ? rest : arithmetic('+', total('+', decimals), asDecimal)
}

/** Neumaier's sum: what each addition loses is summed apart. */
function doubleSum(values: readonly Numeric[]): number {
  let [result, lost] = [0, 0]
  for (const value of values) {
    const number = toNumber(value)
    const next = result + number
    lost += Math.abs(result) >= Math.abs(number) ? result - next + number : number - next + result
    result = next
  }
  return Number.isNaN(lost) ? result : result + lost
}

const extreme =
  (sign: 1 | -1): Accumulator =>
  values =>
    values.reduce(
      (best, value) =>
        value !== undefined && value !== null && (best === null || compareValues(value, best) * sign > 0)
          ? value
          : best,
      null,
    )

const average: Accumulator = values => {
  const count = values.filter(isNumeric).length
  if (count === 0) return null
  const whole = sum(values)
  return whole instanceof Decimal128
    ? decimalArithmetic('/', whole, Decimal128.fromString(String(count)))
    : new Double(toNumber(whole) / count)
}

const present = (values: readonly unknown[]): unknown[] => values.filter(value => value !== undefined)

/** The accumulators of `$group`. Any other is refused with code 15952. */
export const accumulators: Readonly<Record<string, Accumulator>> = {
  $addToSet: values => [...new Map(present(values).map(value => [keyText(value), value])).values()],
  $avg: average,
  $count: values => total('+', values.filter(isNumeric)),
  $first: values => values[0] ?? null,
  $last: values => values.at(-1) ?? null,
  $max: extreme(1),
  $mergeObjects: mergeObjects,
  $min: extreme(-1),
  $push: present,
  $sum: sum,
}
