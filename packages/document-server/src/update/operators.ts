import { Int32, Long, Timestamp } from 'bson'
import { compareValues, equalValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { arithmetic, isNumeric, toNumber } from '../bson/numbers.ts'
import { typeName } from '../bson/types.ts'
import { CommandError } from '../errors.ts'
import { applyPull, applyPush, requireArray } from './array-operators.ts'

/** What an operator does to a field. */
type Change = { readonly set: unknown } | 'unset' | 'keep'
/** `current` is `undefined` for a missing field; `path` is for messages. */
export type UpdateOperator = (current: unknown, argument: unknown, path: string) => Change

const fail = (message: string, code: 'BadValue' | 'TypeMismatch' | 'FailedToParse' = 'BadValue'): never => {
  throw new CommandError(code, message)
}

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
    return { set: arithmetic(sign, current, argument) }
  }

const extreme =
  (sign: 1 | -1): UpdateOperator =>
  (current, argument) =>
    current === undefined || compareValues(argument, current) * sign > 0 ? { set: argument } : 'keep'

const currentDate: UpdateOperator = (_, argument, path) => {
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
  const array = requireArray(current, '$pop', path)
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
  let value = current === undefined ? new Int32(0) : current
  for (const [name, operand] of Object.entries(argument)) {
    if (!isInteger(value) || !isInteger(operand)) return fail(`$bit on '${path}' takes int and long values only`)
    const [a, b] = [BigInt(value.toString()), BigInt(operand.toString())]
    const result =
      name === 'and' ? a & b : name === 'or' ? a | b : name === 'xor' ? a ^ b : fail(`unknown $bit operation '${name}'`)
    value = value instanceof Int32 && operand instanceof Int32 ? new Int32(Number(result)) : Long.fromBigInt(result)
  }
  return { set: value }
}

const isInteger = (value: unknown): value is Int32 | Long => value instanceof Int32 || value instanceof Long

/** Operators that change one field; `$rename`, which has two, and `$setOnInsert` are prepared in update.ts. */
export const updateOperators: Readonly<Record<string, UpdateOperator>> = {
  $set: (_, argument) => ({ set: argument }),
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
