import { isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import { compileCondition, compileFilter } from './match.ts'

/** Reduces one field's value in a `find` projection; `undefined` leaves the field out. */
export type Shaper = (value: unknown) => unknown

/** `{ $slice: n }`, `{ $slice: [skip, n] }`; values that are not arrays stay. */
export function compileSlice(argument: unknown): Shaper {
  const numbers = (Array.isArray(argument) ? argument : [argument]).map(value => {
    if (!isNumeric(value))
      throw new CommandError('BadValue', 'First argument to $slice must be a number or an array of two numbers')
    return Math.trunc(toNumber(value))
  })
  const [first = 0, count] = numbers
  if (count !== undefined && count <= 0)
    throw new CommandError('BadValue', 'Second argument to $slice must be positive')
  return value => {
    if (!Array.isArray(value)) return value
    if (count === undefined) return first < 0 ? value.slice(first) : value.slice(0, first)
    const start = first < 0 ? Math.max(0, value.length + first) : first
    return value.slice(start, start + count)
  }
}

/** `{ $elemMatch: … }`: the first element that matches, as an array of one. */
export function compileElemMatch(argument: { [key: string]: unknown }): Shaper {
  const test = compileCondition(argument, filter => compileFilter(filter))
  return value => {
    if (!Array.isArray(value)) return undefined
    const found = value.find(element => test((_, check) => check([element])))
    return found === undefined ? undefined : [found]
  }
}

/** Whether a projection names the positional operator, which this server does not have. */
export function assertNoPositional(projection: unknown): void {
  if (!isDoc(projection)) return
  for (const key of Object.keys(projection))
    if (key.endsWith('.$'))
      throw new CommandError(
        'CommandNotSupported',
        `the positional projection '${key}' is not supported; use $elemMatch`,
      )
}
