import { Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson'
import { fitsLong, toDecimal } from '../bson/arithmetic.ts'
import { integerOf, readDecimal } from '../bson/decimal.ts'
import { isNumeric, type Numeric, toNumber, truthy } from '../bson/numbers.ts'
import { type TypeName, typeByAlias, typeName } from '../bson/types.ts'
import { CommandError, fail } from '../errors.ts'
import { compileArguments, int32, namedArguments, shownType } from './arguments.ts'
import { type Expression, isNullish, type Operator } from './scope.ts'
import { numberText } from './text.ts'
import { isoText, timeOf, utcTime } from './time-zone.ts'

const failed = (message: string): never => fail(`${message} in $convert with no onError value`, 'ConversionFailure')
const unsupported = (value: unknown, to: string): never =>
  failed(`Unsupported conversion from ${shownType(value)} to ${to}`)

/** The exact integer of a number, without its fraction. */
function integer(value: Numeric): bigint {
  const number = toNumber(value)
  if (Number.isNaN(number)) failed('Attempt to convert NaN value to integer type')
  if (/Inf/.test(value.toString())) failed('Attempt to convert infinity value to integer type')
  if (value instanceof Long) return value.toBigInt()
  if (!(value instanceof Decimal128)) return BigInt(Math.trunc(number))
  return integerOf(value)
}

const parsed = (text: string, pattern: RegExp): string =>
  pattern.test(text) ? text : failed(`Failed to parse number '${text}'`)
const wholeText = /^[+-]?\d+$/
const decimalText = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)$/i

function toLong(value: unknown): bigint {
  if (typeof value === 'boolean') return BigInt(value)
  if (typeof value === 'string') return BigInt(parsed(value, wholeText).replace('+', ''))
  return isNumeric(value) ? integer(value) : unsupported(value, 'long')
}

const overflow = (): never => failed('Conversion would overflow target type')

/** `inf` as `Infinity`, which JavaScript and Decimal128 read. */
function floating(text: string): string {
  const special = /^([+-]?)(?:(i)|n)/i.exec(parsed(text, decimalText))
  return special ? `${special[1] === '-' && special[2] ? '-' : ''}${special[2] ? 'Infinity' : 'NaN'}` : text
}

function finite(value: number, isInfinite: boolean): Double {
  return Number.isFinite(value) || Number.isNaN(value) || isInfinite ? new Double(value) : overflow()
}

function toDouble(value: unknown): Double {
  if (typeof value === 'string') return finite(Number(floating(value)), /i/i.test(value))
  if (isNumeric(value)) return finite(toNumber(value), !(value instanceof Decimal128) || /I/.test(value.toString()))
  if (value instanceof Date) return new Double(dateTime(value))
  return typeof value === 'boolean' ? new Double(Number(value)) : unsupported(value, 'double')
}

function toDecimal128(value: unknown): Decimal128 {
  if (typeof value === 'string') {
    const result = readDecimal(floating(value))
    return /I/.test(result.toString()) && !/i/i.test(value) ? overflow() : result
  }
  if (isNumeric(value)) return toDecimal(value)
  if (value instanceof Date) return Decimal128.fromString(String(dateTime(value)))
  return typeof value === 'boolean' ? Decimal128.fromString(String(Number(value))) : unsupported(value, 'decimal')
}

const dateTime = (value: unknown): number => timeOf(value, () => unsupported(value, 'date'))

/** The ways of writing a date that this server reads: ISO 8601, also with a space before the time and the zone. */
const dateText =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/

function toDate(value: unknown): Date {
  if (typeof value === 'string') return readDate(value)
  if (value instanceof Int32) return unsupported(value, 'date')
  const time = isNumeric(value) ? Number(integer(value)) : dateTime(value)
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? failed('the date is beyond the years that this server knows,') : date
}

function readDate(text: string): Date {
  const match = dateText.exec(text)
  if (!match) return failed(`Error parsing date string '${text}': this server only reads dates in ISO 8601,`)
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(part => Number(part ?? 0))
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const zone = /^([+-])(\d\d):?(\d\d)?$/.exec(match[8] ?? '')
  const offset = zone ? (Number(zone[2]) * 60 + Number(zone[3] ?? 0)) * (zone[1] === '-' ? -60_000 : 60_000) : 0
  const isReal = new Date(utcTime(year, month - 1, date)).getUTCDate() === date && month >= 1 && month <= 12
  if (!isReal || date < 1 || hour > 23 || minute > 59 || second > 59)
    failed(`Error parsing date string '${text}': The parsed date was invalid,`)
  return new Date(utcTime(year, month - 1, date, hour, minute, second, ms) - offset)
}

function toObjectId(value: unknown): ObjectId {
  if (value instanceof ObjectId) return value
  if (typeof value !== 'string') return unsupported(value, 'objectId')
  return /^[\da-f]{24}$/i.test(value)
    ? ObjectId.createFromHexString(value)
    : failed(`Failed to parse objectId '${value}'`)
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (value instanceof ObjectId) return value.toHexString()
  if (value instanceof Date) return isoText(value)
  return isNumeric(value) ? numberText(value) : unsupported(value, 'string')
}

const conversions: Readonly<Partial<Record<TypeName, (value: unknown) => unknown>>> = {
  double: toDouble,
  string: toText,
  objectId: toObjectId,
  bool: truthy,
  date: toDate,
  int: value => {
    const result = toLong(value)
    return result >= -(2n ** 31n) && result < 2n ** 31n ? new Int32(Number(result)) : overflow()
  },
  long: value => {
    const result = value instanceof Date ? BigInt(dateTime(value)) : toLong(value)
    return fitsLong(result) ? Long.fromBigInt(result) : overflow()
  },
  decimal: toDecimal128,
}

function convert(value: unknown, to: TypeName): unknown {
  if (typeName(value) === to && to !== 'date') return value
  if (value instanceof Timestamp && to !== 'date' && to !== 'bool') return unsupported(value, to)
  const conversion = conversions[to]
  return conversion ? conversion(value) : unsupported(value, to)
}

/** The type that `to` names. */
function targetType(to: unknown): TypeName {
  if (typeof to === 'string') {
    const type = typeByAlias(to)
    return type === undefined || type === 'number' ? fail(`Unknown type name: ${to}`) : type
  }
  if (!isNumeric(to))
    return fail(`$convert's 'to' argument must be a string or number, but is ${shownType(to)}`, 'FailedToParse')
  const code = int32(to) ?? fail("In $convert, numeric 'to' argument is not an integer", 'FailedToParse')
  const type = typeByAlias(code)
  return type === undefined || type === 'number'
    ? fail(`In $convert, numeric value for 'to' does not correspond to a BSON type: ${code}`, 'FailedToParse')
    : type
}

const named: Operator = (argument, scope, name) => {
  const refusals = { notObject: 'FailedToParse', unknown: 'FailedToParse' } as const
  const required = { input: 'FailedToParse', to: 'FailedToParse' } as const
  const given = namedArguments(argument, name, refusals, required, ['onError', 'onNull'])
  const part = (key: string): Expression | undefined =>
    Object.hasOwn(given, key) ? scope.compile(given[key], scope) : undefined
  const [input, to, onError, onNull] = ['input', 'to', 'onError', 'onNull'].map(part)
  return (doc, locals) => {
    const [target, value] = [to?.(doc, locals), input?.(doc, locals)]
    const type = isNullish(target) ? undefined : targetType(target)
    if (isNullish(value)) return onNull ? onNull(doc, locals) : null
    if (!type) return null
    try {
      return convert(value, type)
    } catch (error) {
      const isFailure = error instanceof CommandError && error.codeName === 'ConversionFailure'
      if (isFailure && onError) return onError(doc, locals)
      throw error
    }
  }
}

/** `$toInt` and the like. */
const conversionTo =
  (type: TypeName): Operator =>
  (argument, scope, name) => {
    if (Array.isArray(argument) && argument.length !== 1)
      fail(`${name} requires a single argument, got ${argument.length}`, 'Location50723')
    const [input] = compileArguments('any', argument, scope, name)
    return (doc, locals) => {
      const value = input?.(doc, locals)
      return isNullish(value) ? null : convert(value, type)
    }
  }

export const convertOperators: Readonly<Record<string, Operator>> = {
  $convert: named,
  $toBool: conversionTo('bool'),
  $toDate: conversionTo('date'),
  $toDecimal: conversionTo('decimal'),
  $toDouble: conversionTo('double'),
  $toInt: conversionTo('int'),
  $toLong: conversionTo('long'),
  $toObjectId: conversionTo('objectId'),
  $toString: conversionTo('string'),
}
