import { Int32, Long, Timestamp } from 'bson'
import { arithmetic, isIntegral } from '../bson/arithmetic.ts'
import { compareValues, equalValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { typeName } from '../bson/types.ts'
import { fail } from '../errors.ts'
import { compileCondition, compileFilter, isOperatorDoc } from '../query/match.ts'
import { elementOrder } from '../query/sort.ts'

/** What an operator does to a field. */
type Change = { readonly set: unknown } | 'unset' | 'keep'
/** `current` is undefined for a missing field. `path` is for messages. */
export type UpdateOperator = (current: unknown, argument: unknown, path: string) => Change

const number =
  (operator: '$inc' | '$mul', sign: '+' | '*'): UpdateOperator =>
  (current, argument, path) => {
    if (!isNumeric(argument))
      return fail(
        `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: <${typeName(argument)}>}`,
        'TypeMismatch',
      )
    if (current === undefined) return { set: sign === '+' ? argument : arithmetic('*', new Int32(0), argument) }
    if (!isNumeric(current))
      return fail(
        `Cannot apply ${operator} to a value of non-numeric type. The field '${path}' is of non-numeric type ${typeName(current)}`,
        'TypeMismatch',
      )
    const result = arithmetic(sign, current, argument)
    if (isIntegral(current) && isIntegral(argument) && !isIntegral(result))
      return fail(`Failed to apply ${operator} operations to current value of '${path}': it exceeds 64 bits`)
    return { set: result }
  }

const extreme =
  (sign: 1 | -1): UpdateOperator =>
  (current, argument) =>
    current === undefined || compareValues(argument, current) * sign > 0 ? { set: argument } : 'keep'

const currentDate: UpdateOperator = (_, argument, path) => {
  const unknown = isDoc(argument) ? Object.keys(argument).find(key => key !== '$type') : undefined
  if (unknown !== undefined) return fail(`Unrecognized $currentDate option: ${unknown}`)
  const type = isDoc(argument) ? argument.$type : argument
  if (type === 'timestamp') return { set: new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 }) }
  if (type === true || type === false || type === 'date') return { set: new Date() }
  return fail(`the $currentDate argument of '${path}' must be true, { $type: 'date' } or { $type: 'timestamp' }`)
}

const addToSet: UpdateOperator = (current, argument, path) => {
  const array = requireArray(current, '$addToSet', path)
  const added = isDoc(argument) && '$each' in argument ? eachOf(argument, '$addToSet') : [argument]
  const result = [...array]
  for (const value of added) if (!result.some(element => equalValues(element, value))) result.push(value)
  return result.length === array.length && current !== undefined ? 'keep' : { set: result }
}

function eachOf(argument: Doc, operator: string): unknown[] {
  const extra = Object.keys(argument).find(key => key !== '$each')
  if (extra !== undefined) fail(`Found unexpected fields after $each in ${operator}: ${extra}`)
  return Array.isArray(argument.$each)
    ? argument.$each
    : fail(`The argument to $each in ${operator} must be an array`, 'TypeMismatch')
}

const pop: UpdateOperator = (current, argument, path) => {
  const side = isNumeric(argument) ? toNumber(argument) : 0
  if (side !== 1 && side !== -1) fail(`$pop expects 1 or -1 for '${path}'`, 'FailedToParse')
  if (current === undefined) return 'keep'
  if (!Array.isArray(current))
    return fail(`Path '${path}' contains an element of non-array type '${typeName(current)}'`, 'TypeMismatch')
  const array: readonly unknown[] = current
  return { set: side === 1 ? array.slice(0, -1) : array.slice(1) }
}

const pullAll: UpdateOperator = (current, argument, path) => {
  if (!Array.isArray(argument)) return fail('$pullAll requires an array argument')
  if (current === undefined) return 'keep'
  const array = requireArray(current, '$pullAll', path)
  return { set: array.filter(element => !argument.some(value => equalValues(element, value))) }
}

const bit: UpdateOperator = (current, argument, path) => {
  if (!isDoc(argument)) return fail(`The $bit modifier of '${path}' needs a document such as { and: 1 }`)
  if (Object.keys(argument).length === 0) return fail('You must pass in at least one bitwise operation')
  let value = current === undefined ? new Int32(0) : current
  for (const [name, operand] of Object.entries(argument)) {
    if (!isIntegral(value) || !isIntegral(operand)) return fail(`$bit on '${path}' takes int and long values only`)
    const [a, b] = [BigInt(value.toString()), BigInt(operand.toString())]
    const result =
      name === 'and' ? a & b : name === 'or' ? a | b : name === 'xor' ? a ^ b : fail(`unknown $bit operation '${name}'`)
    value = value instanceof Int32 && operand instanceof Int32 ? new Int32(Number(result)) : Long.fromBigInt(result)
  }
  return { set: value }
}

/** What `$push` may have besides values. */
export const pushModifiers = ['$each', '$position', '$sort', '$slice']

/** The operators that change one field. update.ts handles `$rename`, which has two. */
export const updateOperators: Readonly<Record<string, UpdateOperator>> = {
  $set: (_, argument) => ({ set: argument }),
  $setOnInsert: (_, argument) => ({ set: argument }),
  $unset: () => 'unset',
  $inc: number('$inc', '+'),
  $mul: number('$mul', '*'),
  $min: extreme(-1),
  $max: extreme(1),
  $currentDate: currentDate,
  $addToSet: addToSet,
  $pop: pop,
  $pullAll: pullAll,
  $bit: bit,
  $push: (current, argument, path) => ({ set: applyPush(requireArray(current, '$push', path), argument) }),
  $pull: (current, argument, path) =>
    current === undefined ? 'keep' : { set: applyPull(requireArray(current, '$pull', path), argument) },
}

/** The array to change. A missing field counts as an empty array. @throws CommandError for another type */
function requireArray(current: unknown, operator: string, path: string): readonly unknown[] {
  if (current === undefined) return []
  if (Array.isArray(current)) return current
  fail(
    operator === '$push'
      ? `The field '${path}' must be an array but is of type ${typeName(current)}`
      : `Cannot apply ${operator} to a non-array value: the field '${path}' is of type ${typeName(current)}`,
  )
}

/** `$push` with `$each`, `$position`, `$sort` and `$slice`. */
function applyPush(array: readonly unknown[], argument: unknown): unknown[] {
  if (!isDoc(argument) || !('$each' in argument)) return [...array, argument]
  const unknown = Object.keys(argument).find(key => !pushModifiers.includes(key))
  if (unknown !== undefined) fail(`Unrecognized clause in $push: ${unknown}`)
  if (!Array.isArray(argument.$each)) fail('The argument to $each in $push must be an array')
  const position = integer(argument, '$position')
  const result = [...array]
  result.splice(position === undefined ? result.length : position, 0, ...argument.$each)
  if (argument.$sort !== undefined) result.sort(elementOrder(argument.$sort, 'BadValue'))
  const slice = integer(argument, '$slice')
  if (slice === undefined) return result
  return slice === 0 ? [] : slice < 0 ? result.slice(slice) : result.slice(0, slice)
}

function integer(argument: Doc, name: string): number | undefined {
  const value = argument[name]
  if (!Object.hasOwn(argument, name)) return undefined
  if (isNumeric(value) && Number.isInteger(toNumber(value))) return toNumber(value)
  fail(`The value for ${name} must be an integer value`)
}

/** `$pull`: a document filters the elements, operators test each element, and anything else means equality. */
function applyPull(array: readonly unknown[], argument: unknown): unknown[] {
  if (isDoc(argument) && !isOperatorDoc(argument)) {
    const matches = compileFilter(argument)
    return array.filter(element => !(isDoc(element) && matches(element)))
  }
  const test = compileCondition(argument, filter => compileFilter(filter))
  return array.filter(element => !test((_, check) => check(element)))
}
