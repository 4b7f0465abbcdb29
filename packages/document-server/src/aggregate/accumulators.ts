import { Double, Int32 } from 'bson'
import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { arithmetic, isNumeric, type Numeric, toNumber } from '../bson/numbers.ts'

/** Computes one value from the values of a group. `undefined` entries stand for missing fields. */
export type Accumulator = (values: readonly unknown[]) => unknown

const total = (values: readonly unknown[]): Numeric =>
  values.filter(isNumeric).reduce<Numeric>((sum, value) => arithmetic('+', sum, value), new Int32(0))

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
  const numbers = values.filter(isNumeric)
  return numbers.length === 0 ? null : new Double(toNumber(total(numbers)) / numbers.length)
}

const deviation =
  (lost: 0 | 1): Accumulator =>
  values => {
    const numbers = values.filter(isNumeric).map(toNumber)
    if (numbers.length <= lost) return null
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length
    return new Double(Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (numbers.length - lost)))
  }

const present = (values: readonly unknown[]): unknown[] => values.filter(value => value !== undefined)

export const accumulators: Readonly<Record<string, Accumulator>> = {
  $sum: total,
  $avg: average,
  $min: extreme(-1),
  $max: extreme(1),
  $first: values => values[0] ?? null,
  $last: values => values.at(-1) ?? null,
  $push: present,
  $addToSet: values => [...new Map(present(values).map(value => [keyText(value), value])).values()],
  $mergeObjects: values => Object.assign({}, ...values.filter(isDoc)) as Doc,
  $count: values => total(values.map(() => new Int32(1))),
  $stdDevPop: deviation(0),
  $stdDevSamp: deviation(1),
}
