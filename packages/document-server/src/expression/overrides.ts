import { ObjectId } from 'bson'
import { evalExpr } from 'mingo/core'
import { accumulators } from '../aggregate/accumulators.ts'
import { compareValues } from '../bson/compare.ts'
import { typeName } from '../bson/types.ts'
import { CommandError } from '../errors.ts'
import type { Override } from './override.ts'
import { fromPlain, toPlain } from './plain.ts'
import { regexOperators } from './regex.ts'

const evaluate: Override = (obj, expr, options) => evalExpr(obj as never, expr as never, options)

const fail = (message: string): never => {
  throw new CommandError('BadValue', message)
}

/** In expressions a missing value is below null; elsewhere both are one. */
const compareOperands = (a: unknown, b: unknown): number =>
  a === undefined || b === undefined
    ? Number(a !== undefined) - Number(b !== undefined) || 0
    : compareValues(fromPlain(a), fromPlain(b))

const comparison =
  (result: (order: number) => unknown): Override =>
  (obj, expr, options) => {
    const operands = evaluate(obj, expr, options)
    if (!Array.isArray(operands) || operands.length !== 2)
      return fail('a comparison expression takes exactly 2 arguments')
    return result(compareOperands(operands[0], operands[1]))
  }

const isIn: Override = (obj, expr, options) => {
  const operands = evaluate(obj, expr, options)
  if (!Array.isArray(operands) || !Array.isArray(operands[1])) return fail('$in requires an array as a second argument')
  const wanted = fromPlain(operands[0])
  return operands[1].some(value => compareValues(fromPlain(value), wanted) === 0)
}

/** `$sum` and its like over a list of expressions, or over the one array they give. */
const overList =
  (name: '$sum' | '$avg' | '$min' | '$max'): Override =>
  (obj, expr, options) => {
    const value = evaluate(obj, expr, options)
    const list = Array.isArray(value) ? value : [value]
    const [only] = list
    const values = Array.isArray(expr) && list.length === 1 && Array.isArray(only) ? only : list
    return toPlain(accumulators[name]?.(values.map(fromPlain)))
  }

const single: Override = (obj, expr, options) =>
  evaluate(obj, Array.isArray(expr) && expr.length === 1 ? expr[0] : expr, options)

const size: Override = (obj, expr, options) => {
  const value = single(obj, expr, options)
  return Array.isArray(value) ? value.length : fail('The argument to $size must be an array')
}

const type: Override = (obj, expr, options) => {
  const value = single(obj, expr, options)
  return value === undefined ? 'missing' : typeName(fromPlain(value))
}

const toObjectId: Override = (obj, expr, options) => {
  const value = single(obj, expr, options)
  if (value === null || value === undefined) return null
  if (value instanceof ObjectId) return value
  if (typeof value === 'string' && ObjectId.isValid(value) && value.length === 24)
    return ObjectId.createFromHexString(value)
  return fail(`Failed to parse objectId '${String(value)}' in $convert`)
}

const toDate =
  (builtIn: Override): Override =>
  (obj, expr, options) => {
    const value = single(obj, expr, options)
    return value instanceof ObjectId ? value.getTimestamp() : builtIn(obj, expr, options)
  }

const toText =
  (builtIn: Override): Override =>
  (obj, expr, options) => {
    const value = single(obj, expr, options)
    if (value instanceof Date) return value.toISOString()
    const text = typeName(value)
    return text === 'objectId' || text === 'long' || text === 'decimal' ? String(value) : builtIn(obj, expr, options)
  }

/** What replaces mingo's operators where those follow JavaScript's rules or do not know BSON's types. */
export const overrides = (builtIn: {
  readonly $toDate: Override
  readonly $toString: Override
}): Record<string, Override> => ({
  ...regexOperators,
  $eq: comparison(order => order === 0),
  $ne: comparison(order => order !== 0),
  $gt: comparison(order => order > 0),
  $gte: comparison(order => order >= 0),
  $lt: comparison(order => order < 0),
  $lte: comparison(order => order <= 0),
  $cmp: comparison(order => order),
  $in: isIn,
  $sum: overList('$sum'),
  $avg: overList('$avg'),
  $min: overList('$min'),
  $max: overList('$max'),
  $size: size,
  $type: type,
  $toObjectId: toObjectId,
  $toDate: toDate(builtIn.$toDate),
  $toString: toText(builtIn.$toString),
})
