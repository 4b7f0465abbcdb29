import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { typeName } from '../bson/types.ts'
import { CommandError } from '../errors.ts'
import { compileCondition, compileFilter, isOperatorDoc } from '../query/match.ts'
import { compileSort } from '../query/sort.ts'

/** The array to change; a missing field is an empty one. @throws CommandError for another type */
export function requireArray(current: unknown, operator: string, path: string): readonly unknown[] {
  if (current === undefined) return []
  if (Array.isArray(current)) return current
  throw new CommandError(
    'BadValue',
    operator === '$push'
      ? `The field '${path}' must be an array but is of type ${typeName(current)}`
      : `Cannot apply ${operator} to a non-array value: the field '${path}' is of type ${typeName(current)}`,
  )
}

/** `$push` with `$each`, `$position`, `$sort` and `$slice`. */
export function applyPush(array: readonly unknown[], argument: unknown): unknown[] {
  if (!isDoc(argument) || !('$each' in argument)) return [...array, argument]
  const unknown = Object.keys(argument).find(key => !['$each', '$position', '$sort', '$slice'].includes(key))
  if (unknown !== undefined) throw new CommandError('BadValue', `Unrecognized clause in $push: ${unknown}`)
  if (!Array.isArray(argument.$each))
    throw new CommandError('BadValue', 'The argument to $each in $push must be an array')
  const position = integer(argument, '$position')
  const result = [...array]
  result.splice(position === undefined ? result.length : position, 0, ...argument.$each)
  if (argument.$sort !== undefined) result.sort(elementOrder(argument.$sort))
  const slice = integer(argument, '$slice')
  if (slice === undefined) return result
  return slice === 0 ? [] : slice < 0 ? result.slice(slice) : result.slice(0, slice)
}

function integer(argument: Doc, name: string): number | undefined {
  const value = argument[name]
  if (value === undefined) return undefined
  if (isNumeric(value) && Number.isInteger(toNumber(value))) return toNumber(value)
  throw new CommandError('BadValue', `The value for ${name} must be an integer value`)
}

function elementOrder(sort: unknown): (a: unknown, b: unknown) => number {
  if (isDoc(sort)) {
    const compare = compileSort(sort)
    return (a, b) => (isDoc(a) && isDoc(b) ? compare(a, b) : compareValues(a, b))
  }
  const direction = isNumeric(sort) ? toNumber(sort) : 0
  if (direction !== 1 && direction !== -1)
    throw new CommandError('BadValue', 'The $sort element value must be either 1 or -1')
  return (a, b) => direction * compareValues(a, b)
}

/** `$pull`: a document is a filter on elements, operators test each element, anything else is equality. */
export function applyPull(array: readonly unknown[], argument: unknown): unknown[] {
  if (isDoc(argument) && !isOperatorDoc(argument)) {
    const matches = compileFilter(argument)
    return array.filter(element => !(isDoc(element) && matches(element)))
  }
  const test = compileCondition(argument, filter => compileFilter(filter))
  return array.filter(element => !test((_, check) => check(element)))
}
