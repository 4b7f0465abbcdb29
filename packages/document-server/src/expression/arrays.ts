import { Int32 } from 'bson'
import type { Doc } from '../bson/document.ts'
import { isNumeric, truthy } from '../bson/numbers.ts'
import { type ErrorName, fail } from '../errors.ts'
import { countCreated } from '../pace.ts'
import { elementOrder } from '../query/sort.ts'
import { int32, namedArguments, onValues, shownType } from './arguments.ts'
import { compareOperands } from './logic.ts'
import { assertWritable, type Expression, isNullish, type Operator, type Scope, withLocals } from './scope.ts'
import { bounds } from './strings.ts'

/** @throws CommandError unless the value is an array */
export const arrayOf = (value: unknown, what: string, code: ErrorName): readonly unknown[] =>
  Array.isArray(value) ? value : fail(`${what} must be an array, but is of type ${shownType(value)}`, code)

function elementAt(array: unknown, index: number, name: string): unknown {
  return isNullish(array) ? null : arrayOf(array, `${name}'s argument`, 'Location28689').at(index)
}

const arrayElemAt: Operator = onValues(2, ([array, index]) => {
  if (isNullish(array) || isNullish(index)) return null
  const elements = arrayOf(array, "$arrayElemAt's first argument", 'Location28689')
  if (!isNumeric(index))
    fail(`$arrayElemAt's second argument must be a numeric value, but is ${shownType(index)}`, 'Location28690')
  const at = int32(index) ?? fail("$arrayElemAt's second argument must be a 32-bit integer", 'Location28691')
  return elements.at(at)
})

const concatArrays: Operator = onValues('any', values => {
  const arrays: (readonly unknown[])[] = []
  for (const value of values) {
    if (isNullish(value)) return null
    arrays.push(arrayOf(value, 'each argument of $concatArrays', 'Location28664'))
  }
  countCreated(arrays.reduce((sum, array) => sum + array.length, 0))
  return arrays.flat()
})

/** Array elements are never missing. */
const orNull = (value: unknown): unknown => value ?? null

interface Loop {
  readonly input: Expression
  readonly name: string
  readonly inner: Scope
}

/** What `$map` and `$filter` have in common: an input, and a variable for its elements. */
function loop(given: Doc, scope: Scope): Loop {
  const as = given.as ?? 'this'
  if (typeof as !== 'string') fail("the parameter 'as' must be a string", 'TypeMismatch')
  assertWritable(as)
  return { input: scope.compile(given.input, scope), name: as, inner: withLocals(scope, [as]) }
}

const map: Operator = (argument, scope, name) => {
  const required = { input: 'Location16880', in: 'Location16882' } as const
  const refusals = { notObject: 'Location16878', unknown: 'Location16879' } as const
  const given = namedArguments(argument, name, refusals, required, ['as'])
  const { input, name: as, inner } = loop(given, scope)
  const each = scope.compile(given.in, inner)
  return (doc, locals) => {
    const array = input(doc, locals)
    if (isNullish(array)) return null
    return arrayOf(array, 'input to $map', 'Location16883').map(value => orNull(each(doc, { ...locals, [as]: value })))
  }
}

const filter: Operator = (argument, scope, name) => {
  const required = { input: 'Location28648', cond: 'Location28650' } as const
  const refusals = { notObject: 'Location28646', unknown: 'Location28647' } as const
  const given = namedArguments(argument, name, refusals, required, ['as', 'limit'])
  const { input, name: as, inner } = loop(given, scope)
  const condition = scope.compile(given.cond, inner)
  const limit = scope.compile(given.limit, scope)
  return (doc, locals) => {
    const array = input(doc, locals)
    if (isNullish(array)) return null
    const elements = arrayOf(array, 'input to $filter', 'Location28651')
    const most = filterLimit(limit(doc, locals))
    const kept: unknown[] = []
    for (const value of elements) {
      if (kept.length >= most) break
      if (truthy(condition(doc, { ...locals, [as]: value }))) kept.push(value)
    }
    return kept
  }
}

function filterLimit(value: unknown): number {
  if (isNullish(value)) return Number.POSITIVE_INFINITY
  const limit = int32(value) ?? fail('$filter: limit must be represented as a 32-bit integral value', 'Location327391')
  return limit > 0 ? limit : fail(`$filter: limit must be greater than 0, found: ${limit}`, 'Location327392')
}

const reduce: Operator = (argument, scope, name) => {
  const required = { input: 'Location40077', initialValue: 'Location40078', in: 'Location40079' } as const
  const given = namedArguments(argument, name, { notObject: 'Location40075', unknown: 'Location40076' }, required)
  const [input, initial] = [scope.compile(given.input, scope), scope.compile(given.initialValue, scope)]
  const step = scope.compile(given.in, withLocals(scope, ['this', 'value']))
  return (doc, locals) => {
    const array = input(doc, locals)
    if (isNullish(array)) return null
    let value = initial(doc, locals)
    for (const element of arrayOf(array, "the 'input' of $reduce", 'Location40080'))
      value = step(doc, { ...locals, this: element, value })
    return value
  }
}

const isIn: Operator = onValues(2, ([value, array]) =>
  arrayOf(array, "$in's second argument", 'Location40081').some(element => compareOperands(element, value) === 0),
)

const indexOfArray: Operator = onValues([2, 4], (values, name) => {
  if (isNullish(values[0])) return null
  const array = arrayOf(values[0], '$indexOfArray as a first argument', 'Location40090')
  const { start, end } = bounds(values, name, array.length)
  for (let at = start; at < end; at++) if (compareOperands(array[at], values[1]) === 0) return new Int32(at)
  return new Int32(-1)
})

const rangeCodes = [
  ['Location34443', 'Location34444'],
  ['Location34445', 'Location34446'],
  ['Location34447', 'Location34448'],
] as const

const range: Operator = onValues([2, 3], values => {
  const [start = 0, end = 0, step = 1] = values.map((value, at) => {
    const [type, integral] = rangeCodes[at] ?? rangeCodes[2]
    if (!isNumeric(value)) fail(`$range requires numeric values, found one of type: ${shownType(value)}`, type)
    return int32(value) ?? fail('$range requires values that can be represented as 32-bit integers', integral)
  })
  if (step === 0) fail('$range requires a non-zero step value', 'Location34449')
  const count = Math.max(0, Math.ceil((end - start) / step))
  countCreated(count)
  return Array.from({ length: count }, (_, at) => new Int32(start + at * step))
})

const slice: Operator = onValues([2, 3], values => {
  const [array, first, second] = values
  if (isNullish(array) || isNullish(first)) return null
  const elements = arrayOf(array, 'First argument to $slice', 'Location28724')
  const start = sliceNumber(first, 'Second', 'Location28725', 'Location28726')
  if (values.length === 2) return start < 0 ? elements.slice(start) : elements.slice(0, start)
  if (isNullish(second)) return null
  const count = sliceNumber(second, 'Third', 'Location28727', 'Location28728')
  if (count <= 0) fail(`Third argument to $slice must be positive: ${count}`, 'Location28729')
  const from = start < 0 ? Math.max(0, elements.length + start) : start
  return elements.slice(from, from + count)
})

function sliceNumber(value: unknown, which: string, type: ErrorName, integral: ErrorName): number {
  if (!isNumeric(value)) fail(`${which} argument to $slice must be numeric, but is of type ${shownType(value)}`, type)
  return int32(value) ?? fail(`${which} argument to $slice can't be represented as a 32-bit integer`, integral)
}

const reverseArray: Operator = onValues(1, ([array]) =>
  isNullish(array) ? null : [...arrayOf(array, 'The argument to $reverseArray', 'Location34435')].reverse(),
)

/** The most elements that are sorted in well below a second. */
const mostSorted = 500_000

const sortArray: Operator = (argument, scope, name) => {
  const required = { input: 'Location2942502', sortBy: 'Location2942503' } as const
  const given = namedArguments(argument, name, { notObject: 'Location2942500', unknown: 'Location2942501' }, required)
  const compare = elementOrder(given.sortBy, 'Location2942506')
  const input = scope.compile(given.input, scope)
  return (doc, locals) => {
    const array = input(doc, locals)
    if (isNullish(array)) return null
    const elements = arrayOf(array, 'The input argument to $sortArray', 'Location2942504')
    if (elements.length > mostSorted)
      fail(`$sortArray is limited to ${mostSorted} elements by this server`, 'ExceededMemoryLimit')
    return elements.toSorted(compare)
  }
}

export const arrayOperators: Readonly<Record<string, Operator>> = {
  $arrayElemAt: arrayElemAt,
  $concatArrays: concatArrays,
  $filter: filter,
  $first: onValues(1, ([array], name) => elementAt(array, 0, name)),
  $in: isIn,
  $indexOfArray: indexOfArray,
  $isArray: onValues(1, ([value]) => Array.isArray(value)),
  $last: onValues(1, ([array], name) => elementAt(array, -1, name)),
  $map: map,
  $range: range,
  $reduce: reduce,
  $reverseArray: reverseArray,
  $size: onValues(1, ([array]) => new Int32(arrayOf(array, 'The argument to $size', 'Location17124').length)),
  $slice: slice,
  $sortArray: sortArray,
}
