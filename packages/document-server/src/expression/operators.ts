import { Context, evalExpr, type Context as MingoContext } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import type { Options } from 'mingo/types'
import { compareValues } from '../bson/compare.ts'
import { CommandError } from '../errors.ts'
import { fromPlain } from './plain.ts'

/** mingo orders values by JavaScript's rules in places; comparisons follow BSON's order here instead. */
const comparison =
  (result: (order: number) => unknown) =>
  (obj: unknown, expr: unknown, options: Options): unknown => {
    const operands = evalExpr(obj as never, expr as never, options) as unknown
    if (!Array.isArray(operands) || operands.length !== 2)
      throw new CommandError('BadValue', 'a comparison expression takes exactly 2 arguments')
    return result(compareValues(fromPlain(operands[0]), fromPlain(operands[1])))
  }

const isIn = (obj: unknown, expr: unknown, options: Options): unknown => {
  const operands = evalExpr(obj as never, expr as never, options) as unknown
  if (!Array.isArray(operands) || !Array.isArray(operands[1]))
    throw new CommandError('BadValue', '$in requires an array as a second argument')
  const wanted = fromPlain(operands[0])
  return operands[1].some(value => compareValues(fromPlain(value), wanted) === 0)
}

const overrides: Record<string, unknown> = {
  $eq: comparison(order => order === 0),
  $ne: comparison(order => order !== 0),
  $gt: comparison(order => order > 0),
  $gte: comparison(order => order >= 0),
  $lt: comparison(order => order < 0),
  $lte: comparison(order => order <= 0),
  $cmp: comparison(order => order),
  $in: isIn,
}

/** Operators that would run the client's JavaScript, or that mingo has in a form of its own. */
const refused = new Set(['$function', '$where', '$accumulator', '$toHashedIndexKey'])

/** mingo's own type for its operators is not exported; they are only handed back to it. */
type Operators = Record<`$${string}`, never>

const offered = (source: object): Operators =>
  Object.fromEntries(Object.entries(source).filter(([name]) => name.startsWith('$') && !refused.has(name))) as Operators

const expressionTable = { ...offered(expressions), ...overrides } as Operators
const accumulatorTable = offered(accumulators)

export const mingoContext: MingoContext = Context.init({ expression: expressionTable, accumulator: accumulatorTable })

/** Whether `$name` can stand in an aggregation expression. */
export const isExpressionOperator = (name: string): boolean =>
  Object.hasOwn(expressionTable, name) || Object.hasOwn(accumulatorTable, name)
