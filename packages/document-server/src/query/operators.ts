import { BSONRegExp, MaxKey, MinKey } from 'bson'
import { isIntegral, toBigInt } from '../bson/arithmetic.ts'
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
    if (argument instanceof BSONRegExp) fail("Can't have RegEx as arg to predicate over field.")
    if (argument === undefined) fail('cannot compare to undefined')
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

/** Unlike a bare regular expression, `$eq` with one only matches the same as a stored value. */
const equal: Operator = argument => {
  if (argument === undefined) fail('cannot compare to undefined')
  return some => some(true, value => equalValues(value, argument))
}

const isOperator = (value: unknown): boolean =>
  isDoc(value) && Object.keys(value)[0]?.startsWith('$') === true && !('$ref' in value)

const isIn: Operator = argument => {
  if (!Array.isArray(argument)) return fail('$in needs an array')
  if (argument.some(isOperator)) fail('cannot nest $ under $in')
  const keys = new Set(argument.filter(value => !(value instanceof BSONRegExp)).map(keyText))
  const expressions = argument.filter(value => value instanceof BSONRegExp).map(regexTest)
  return some => some(true, value => keys.has(keyText(value)) || expressions.some(test => test(value)))
}

const elemMatch: Operator = (argument, nesting) => {
  if (!isDoc(argument)) return fail('$elemMatch needs an Object')
  for (const name of ['$expr', '$text', '$where'])
    if (name in argument) fail(`${name} can only be applied to the top-level document`)
  const [first] = Object.keys(argument)
  const onValues = first?.startsWith('$') && !['$and', '$or', '$nor'].includes(first)
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
  const isElemMatch = (value: unknown): boolean => isDoc(value) && Object.keys(value)[0] === '$elemMatch'
  const matching = argument.filter(isElemMatch)
  if (matching.length > 0 && matching.length < argument.length) fail('$all/$elemMatch has to be consistent')
  if (matching.length === 0 && argument.some(isOperator)) fail('no $ expressions in $all')
  const tests = argument.map(value => nesting.condition(value))
  return some => tests.length > 0 && tests.every(test => test(some))
}

const size: Operator = argument => {
  if (!isNumeric(argument)) return fail('Failed to parse $size. Expected a number')
  if (!Number.isInteger(toNumber(argument))) return fail('Failed to parse $size. Expected an integer')
  if (toNumber(argument) < 0) return fail('Failed to parse $size. Expected a non-negative number')
  return some => some(false, value => Array.isArray(value) && value.length === toNumber(argument))
}

const exists: Operator = argument => {
  const wanted = isNumeric(argument) ? toNumber(argument) !== 0 : argument !== false && argument !== null
  return some => some(false, value => value !== undefined) === wanted
}

const type: Operator = argument => {
  const given = Array.isArray(argument) ? argument : [argument]
  if (given.length === 0) fail('a $type must match at least one type', 'FailedToParse')
  const types = given.map(alias => {
    if (isNumeric(alias)) return typeByAlias(toNumber(alias)) ?? fail(`Invalid numerical type code: ${toNumber(alias)}`)
    if (typeof alias !== 'string') return fail('type must be represented as a number or a string', 'TypeMismatch')
    return typeByAlias(alias) ?? fail(`Unknown type name alias: ${alias}`)
  })
  return some =>
    some(
      true,
      value => value !== undefined && types.some(t => t === typeName(value) || (t === 'number' && isNumeric(value))),
    )
}

const mod: Operator = argument => {
  if (!Array.isArray(argument)) return fail('malformed mod, needs to be an array')
  if (argument.length !== 2) fail(`malformed mod, ${argument.length < 2 ? 'not enough' : 'too many'} elements`)
  const [divisor = 0n, remainder = 0n] = argument.map(
    (value, at) => whole(value) ?? fail(`malformed mod, ${at === 0 ? 'divisor' : 'remainder'} not a number`),
  )
  if (divisor === 0n) fail('divisor cannot be 0')
  return some =>
    some(true, value => {
      const number = whole(value)
      return number !== undefined && number % divisor === remainder
    })
}

/** A number without its fraction. Undefined for other values, and beyond a long. */
function whole(value: unknown): bigint | undefined {
  if (isIntegral(value)) return toBigInt(value)
  const number = isNumeric(value) ? Math.trunc(toNumber(value)) : Number.NaN
  return Math.abs(number) <= 2 ** 63 ? BigInt(number) : undefined
}

const regex: Operator = (argument, _nesting, siblings) => {
  const options = siblings.$options
  const pattern = argument instanceof BSONRegExp ? argument.pattern : argument
  if (typeof pattern !== 'string') return fail('$regex has to be a string')
  if (pattern.includes('\0')) return fail('Regular expression cannot contain an embedded null byte')
  if (options !== undefined && typeof options !== 'string') return fail('$options has to be a string')
  if (argument instanceof BSONRegExp && argument.options !== '' && options !== undefined)
    return fail('options set in both $regex and $options', 'Location51075')
  const flags = typeof options === 'string' ? options : argument instanceof BSONRegExp ? argument.options : ''
  toRegExp(pattern, flags)
  const test = regexTest(new BSONRegExp(pattern, flags))
  return some => some(true, test)
}

const negation: Operator = (argument, nesting) => {
  const known = argument instanceof BSONRegExp || (isDoc(argument) && Object.keys(argument)[0]?.startsWith('$'))
  if (isDoc(argument) && Object.keys(argument).length === 0) return fail('$not cannot be empty')
  if (!known) return fail('$not needs a regex or a document')
  const test = nesting.condition(argument)
  return some => !test(some)
}

/** The operators on one field. Any other is refused with code 2. */
export const fieldOperators: Readonly<Record<string, Operator>> = {
  $eq: equal,
  $ne: not((argument, nesting, all) =>
    argument instanceof BSONRegExp ? fail("Can't have regex as arg to $ne.") : equal(argument, nesting, all),
  ),
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
  // Belongs to $regex, which reads it.
  $options: (_, _nesting, siblings) => ('$regex' in siblings ? () => true : fail('$options needs a $regex')),
  $comment: () => () => true,
}

/** Compiles operators such as `{ $gt: 1, $lt: 5 }`, which all have to match. */
export function compileOperators(value: Doc, nesting: Nesting): Test {
  const tests = Object.entries(value).map(([name, argument]) => {
    const operator = Object.hasOwn(fieldOperators, name) ? fieldOperators[name] : undefined
    return operator?.(argument, nesting, value) ?? fail(`unknown operator: ${name}`)
  })
  return some => tests.every(test => test(some))
}
