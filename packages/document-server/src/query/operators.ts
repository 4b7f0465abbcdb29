import { BSONRegExp, MaxKey, MinKey } from 'bson'
import { compareValues, equalValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { typeByAlias, typeName, typeOrder } from '../bson/types.ts'
import { fail } from '../errors.ts'
import { regexTest, toRegExp } from '../regex/regex.ts'

/** Whether any value of the field passes. With `expand`, the elements of an array count as values, too. */
type Some = (expand: boolean, test: (value: unknown) => boolean) => boolean
/** A compiled condition on one field. */
export type Test = (some: Some) => boolean

/** How operators that contain conditions compile them. */
export interface Nesting {
  nested(filter: Doc): (doc: Doc) => boolean
  condition(value: unknown): Test
}

type Operator = (argument: unknown, nesting: Nesting, all: Doc) => Test

/** Equality in filters: null also means missing, and a regular expression matches strings. */
export function equalTest(value: unknown): (candidate: unknown) => boolean {
  if (value instanceof BSONRegExp) return regexTest(value)
  return candidate => equalValues(candidate, value)
}

const ordered =
  (accept: (order: number) => boolean): Operator =>
  argument => {
    if (argument instanceof BSONRegExp) fail("Can't have RegEx as arg to predicate over field")
    const anyType = argument instanceof MinKey || argument instanceof MaxKey
    const order = typeOrder(argument)
    const isNaNArgument = isNumeric(argument) && Number.isNaN(toNumber(argument))
    return some =>
      some(true, value => {
        if (!anyType && typeOrder(value) !== order) return false
        // NaN equals only NaN, and is neither greater nor less than any number.
        if (isNumeric(value) && Number.isNaN(toNumber(value)) !== isNaNArgument) return false
        return accept(compareValues(value, argument))
      })
  }

const not =
  (operator: Operator): Operator =>
  (argument, nesting, all) => {
    const test = operator(argument, nesting, all)
    return some => !test(some)
  }

const equal: Operator = argument => {
  const test = equalTest(argument)
  return some => some(true, test)
}

const isIn: Operator = argument => {
  if (!Array.isArray(argument)) return fail('$in needs an array')
  if (argument.some(value => isDoc(value) && Object.keys(value)[0]?.startsWith('$') && !('$ref' in value)))
    fail('cannot nest $ under $in')
  const keys = new Set(argument.filter(value => !(value instanceof BSONRegExp)).map(keyText))
  const expressions = argument.filter(value => value instanceof BSONRegExp).map(regexTest)
  return some => some(true, value => keys.has(keyText(value)) || expressions.some(test => test(value)))
}

const elemMatch: Operator = (argument, nesting) => {
  if (!isDoc(argument)) return fail('$elemMatch needs an Object')
  const [first] = Object.keys(argument)
  const onValues = first?.startsWith('$') && !['$and', '$or', '$nor', '$expr', '$where', '$text'].includes(first)
  if (onValues) {
    const test = nesting.condition(argument)
    return some => some(false, array => Array.isArray(array) && array.some(value => test((_, check) => check(value))))
  }
  const matches = nesting.nested(argument)
  return some => some(false, array => Array.isArray(array) && array.some(element => matchesElement(element, matches)))
}

const matchesElement = (element: unknown, matches: (doc: Doc) => boolean): boolean =>
  isDoc(element) ? matches(element) : Array.isArray(element) && matches(Object.fromEntries(element.entries()))

const all: Operator = (argument, nesting) => {
  if (!Array.isArray(argument)) return fail('$all needs an array')
  const tests = argument.map(value =>
    isDoc(value) && '$elemMatch' in value ? nesting.condition(value) : equal(value, nesting, {}),
  )
  return some => tests.length > 0 && tests.every(test => test(some))
}

const size: Operator = argument => {
  if (!isNumeric(argument) || !Number.isInteger(toNumber(argument)) || toNumber(argument) < 0)
    return fail('Failed to parse $size. Expected a non-negative integer')
  return some => some(false, value => Array.isArray(value) && value.length === toNumber(argument))
}

const exists: Operator = argument => {
  const wanted = isNumeric(argument) ? toNumber(argument) !== 0 : argument !== false && argument !== null
  return some => some(false, value => value !== undefined) === wanted
}

const type: Operator = argument => {
  const types = (Array.isArray(argument) ? argument : [argument]).map(alias => {
    const key = isNumeric(alias) ? toNumber(alias) : String(alias)
    return typeByAlias(key) ?? fail(`Unknown type name alias: ${key}`)
  })
  return some =>
    some(
      true,
      value => value !== undefined && types.some(t => t === typeName(value) || (t === 'number' && isNumeric(value))),
    )
}

const mod: Operator = argument => {
  if (!Array.isArray(argument) || argument.length !== 2 || !argument.every(isNumeric))
    return fail('malformed mod, needs to be an array of two numbers')
  const [divisor = 0, remainder = 0] = argument.map(value => Math.trunc(toNumber(value)))
  if (divisor === 0) fail('divisor cannot be 0')
  return some => some(true, value => isNumeric(value) && Math.trunc(toNumber(value)) % divisor === remainder)
}

const regex: Operator = (argument, _nesting, siblings) => {
  const options = siblings.$options
  const pattern = argument instanceof BSONRegExp ? argument.pattern : argument
  if (typeof pattern !== 'string') return fail('$regex has to be a string')
  const flags = typeof options === 'string' ? options : argument instanceof BSONRegExp ? argument.options : ''
  toRegExp(pattern, flags)
  const test = regexTest(new BSONRegExp(pattern, flags))
  return some => some(true, test)
}

const negation: Operator = (argument, nesting) => {
  const known = argument instanceof BSONRegExp || (isDoc(argument) && Object.keys(argument)[0]?.startsWith('$'))
  if (!known) return fail('$not needs a regex or a document')
  const test = nesting.condition(argument)
  return some => !test(some)
}

const operators: Readonly<Record<string, Operator>> = {
  $eq: equal,
  $ne: not(equal),
  $gt: ordered(order => order > 0),
  $gte: ordered(order => order >= 0),
  $lt: ordered(order => order < 0),
  $lte: ordered(order => order <= 0),
  $in: isIn,
  $nin: not(isIn),
  $exists: exists,
  $type: type,
  $mod: mod,
  $regex: regex,
  $all: all,
  $size: size,
  $elemMatch: elemMatch,
  $not: negation,
}

/** Compiles operators such as `{ $gt: 1, $lt: 5 }`, which all have to match. */
export function compileOperators(value: Doc, nesting: Nesting): Test {
  const tests = Object.entries(value).flatMap(([name, argument]) => {
    if (name === '$options') return '$regex' in value ? [] : fail('$options needs a $regex')
    if (name === '$comment') return []
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
    return operator ? [operator(argument, nesting, value)] : fail(`unknown operator: ${name}`)
  })
  return some => tests.every(test => test(some))
}
