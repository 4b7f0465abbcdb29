import { ObjectId } from 'bson'
import * as expressions from 'mingo/operators/expression'
import { accumulators } from '../aggregate/accumulators.ts'
import { compareValues } from '../bson/compare.ts'
import { typeName } from '../bson/types.ts'
import { fail } from '../errors.ts'
import { countCreated, countSteps } from '../pace.ts'
import { bounded, toRegExp } from '../regex/regex.ts'
import { evaluate, fromPlain, type MingoOperator, toPlain } from './mingo.ts'

const builtIn = expressions as unknown as Readonly<Record<'$toDate' | '$toString', MingoOperator>>

/** In expressions a missing value sorts below null. Everywhere else they are equal. */
const compareOperands = (a: unknown, b: unknown): number =>
  a === undefined || b === undefined
    ? Number(a !== undefined) - Number(b !== undefined) || 0
    : compareValues(fromPlain(a), fromPlain(b))

const comparison =
  (result: (order: number) => unknown): MingoOperator =>
  (obj, expr, options) => {
    const operands = evaluate(obj, expr, options)
    if (!Array.isArray(operands) || operands.length !== 2)
      return fail('a comparison expression takes exactly 2 arguments')
    return result(compareOperands(operands[0], operands[1]))
  }

const isIn: MingoOperator = (obj, expr, options) => {
  const operands = evaluate(obj, expr, options)
  if (!Array.isArray(operands) || !Array.isArray(operands[1])) return fail('$in requires an array as a second argument')
  const wanted = fromPlain(operands[0])
  return operands[1].some(value => compareValues(fromPlain(value), wanted) === 0)
}

/** `$sum`, `$avg`, `$min` or `$max` of a list of expressions, or of the array that a single expression returns. */
const overList =
  (name: '$sum' | '$avg' | '$min' | '$max'): MingoOperator =>
  (obj, expr, options) => {
    const value = evaluate(obj, expr, options)
    const list = Array.isArray(value) ? value : [value]
    const [only] = list
    const values = Array.isArray(expr) && list.length === 1 && Array.isArray(only) ? only : list
    return toPlain(accumulators[name]?.(values.map(fromPlain)))
  }

const single: MingoOperator = (obj, expr, options) =>
  evaluate(obj, Array.isArray(expr) && expr.length === 1 ? expr[0] : expr, options)

const size: MingoOperator = (obj, expr, options) => {
  const value = single(obj, expr, options)
  return Array.isArray(value) ? value.length : fail('The argument to $size must be an array')
}

const type: MingoOperator = (obj, expr, options) => {
  const value = single(obj, expr, options)
  return value === undefined ? 'missing' : typeName(fromPlain(value))
}

const toObjectId: MingoOperator = (obj, expr, options) => {
  const value = single(obj, expr, options)
  if (value === null || value === undefined) return null
  if (value instanceof ObjectId) return value
  if (typeof value === 'string' && ObjectId.isValid(value) && value.length === 24)
    return ObjectId.createFromHexString(value)
  return fail(`Failed to parse objectId '${String(value)}' in $convert`)
}

const toDate: MingoOperator = (obj, expr, options) => {
  const value = single(obj, expr, options)
  return value instanceof ObjectId ? value.getTimestamp() : builtIn.$toDate(obj, expr, options)
}

const toText: MingoOperator = (obj, expr, options) => {
  const value = single(obj, expr, options)
  if (value instanceof Date) return value.toISOString()
  const isWrapped = ['objectId', 'long', 'decimal'].includes(typeName(value))
  return isWrapped ? String(value) : builtIn.$toString(obj, expr, options)
}

interface Match {
  readonly match: string
  /** In code points, as in MongoDB. */
  readonly idx: number
  readonly captures: readonly (string | null)[]
}

function* matches(operator: string, values: unknown): Generator<Match> {
  if (typeof values !== 'object' || values === null) return fail(`${operator} expects an object of named arguments`)
  const { input, regex, options = null } = values as { input?: unknown; regex?: unknown; options?: unknown }
  if (input === null || input === undefined) return
  if (typeof input !== 'string') return fail(`${operator} needs 'input' to be of type string`)
  if (regex === null || regex === undefined) return
  if (options !== null && typeof options !== 'string') return fail(`${operator} needs 'options' to be of type string`)
  const own = regex instanceof RegExp ? regex.flags : ''
  const source = regex instanceof RegExp ? regex.source : regex
  if (typeof source !== 'string') return fail(`${operator} needs 'regex' to be of type string or regex`)
  const expression = new RegExp(toRegExp(source, options ?? own), `${toRegExp(source, options ?? own).flags}g`)
  const { exec } = bounded(expression)
  const unitsAt = (index: number): number => ((input.codePointAt(index) ?? 0) > 0xffff ? 2 : 1)
  let [counted, idx] = [0, 0]
  for (let found = exec(input); found; found = exec(input)) {
    countSteps()
    for (; counted < found.index; idx++) counted += unitsAt(counted)
    countCreated(found.length + 4)
    yield { match: found[0], idx, captures: found.slice(1).map(text => text ?? null) }
    // Move on after an empty match, or the same one would be found again.
    if (found[0] === '') expression.lastIndex += unitsAt(found.index)
  }
}

const search =
  (operator: string, result: (found: Generator<Match>) => unknown): MingoOperator =>
  (obj, expr, options) =>
    result(matches(operator, evaluate(obj, expr, options)))

/** Replaces mingo's operators where they follow JavaScript's rules, do not know BSON's types, or run without bounds. */
export const overrides: Readonly<Record<string, MingoOperator>> = {
  $regexMatch: search('$regexMatch', found => !found.next().done),
  $regexFind: search('$regexFind', found => found.next().value ?? null),
  $regexFindAll: search('$regexFindAll', found => [...found]),
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
  $toDate: toDate,
  $toString: toText,
}
