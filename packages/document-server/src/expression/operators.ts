import { Double } from 'bson'
import { accumulators } from '../aggregate/accumulators.ts'
import { fail } from '../errors.ts'
import { scoreOf } from '../query/sort.ts'
import { compileArguments, shownType } from './arguments.ts'
import { arrayOperators } from './arrays.ts'
import { convertOperators } from './convert.ts'
import { dateArithmeticOperators } from './date-arithmetic.ts'
import { datePartOperators } from './date-parts.ts'
import { logicOperators } from './logic.ts'
import { numericOperators } from './numeric.ts'
import { objectOperators } from './objects.ts'
import { regexOperators } from './regex.ts'
import type { Operator } from './scope.ts'
import { setOperators } from './sets.ts'
import { stringOperators } from './strings.ts'

/** `$sum`, `$avg`, `$min` or `$max` of a list of expressions, or of the array that a single expression returns. */
const overList =
  (name: '$sum' | '$avg' | '$min' | '$max'): Operator =>
  (argument, scope) => {
    const parts = compileArguments('any', argument, scope, name)
    return (doc, locals) => {
      const values = parts.map(part => part(doc, locals))
      const [only] = values
      return accumulators[name]?.(values.length === 1 && Array.isArray(only) ? only : values)
    }
  }

const meta: Operator = (argument, scope) => {
  if (typeof argument !== 'string')
    return fail(`$meta only supports string arguments, not ${shownType(argument)}`, 'Location17307')
  if (argument !== 'textScore') return fail(`Unsupported argument to $meta: ${argument}`, 'Location17308')
  return doc => new Double(scoreOf(doc, scope.scores))
}

/** Every operator of expressions. Any other is refused with code 168. */
export const operators: Readonly<Record<string, Operator>> = {
  ...logicOperators,
  ...numericOperators,
  ...stringOperators,
  ...regexOperators,
  ...arrayOperators,
  ...setOperators,
  ...objectOperators,
  ...convertOperators,
  ...datePartOperators,
  ...dateArithmeticOperators,
  $avg: overList('$avg'),
  $max: overList('$max'),
  $meta: meta,
  $min: overList('$min'),
  $sum: overList('$sum'),
}
