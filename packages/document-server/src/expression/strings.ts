import { Int32 } from 'bson'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { type ErrorName, fail } from '../errors.ts'
import { countCreated } from '../pace.ts'
import { int32, onNamedValues, onValues, shownType } from './arguments.ts'
import { isNullish, type Operator } from './scope.ts'
import { toText } from './text.ts'

/** MongoDB changes the case of ASCII letters only. */
const toLower = (text: string): string => text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
const toUpper = (text: string): string => text.replace(/[a-z]+/g, letters => letters.toUpperCase())

const concat: Operator = onValues('any', values => {
  let size = 0
  for (const value of values) {
    if (isNullish(value)) return null
    if (typeof value !== 'string')
      return fail(`$concat only supports strings, not ${shownType(value)}`, 'Location16702')
    size += value.length
  }
  countCreated(size / 8)
  return values.join('')
})

function requireText(value: unknown, what: string, code: ErrorName): string {
  return typeof value === 'string' ? value : fail(`${what} requires a string, found: ${shownType(value)}`, code)
}

const strcasecmp: Operator = onValues(2, values => {
  const [a, b] = values.map(value => Buffer.from(toUpper(toText(value)))) as [Buffer, Buffer]
  return new Int32(Buffer.compare(a, b))
})

/** The bounds of a search as both `$indexOf…` operators take them. */
function bound(value: unknown, name: string, which: string): number {
  const number = int32(value)
  if (number === undefined)
    return fail(`${name} requires an integral ${which} index, found: ${shownType(value)}`, 'Location40096')
  return number < 0 ? fail(`${name} requires a nonnegative ${which} index, found: ${number}`, 'Location40097') : number
}

/** The start and end of a search in something of this length. */
export function bounds(values: readonly unknown[], name: string, length: number): { start: number; end: number } {
  const start = values.length > 2 ? bound(values[2], name, 'starting') : 0
  return { start, end: values.length > 3 ? Math.min(length, bound(values[3], name, 'ending')) : length }
}

const indexOf = (codes: readonly [ErrorName, ErrorName], split: (text: string) => { units: Buffer; width: number }) =>
  onValues([2, 4], (values, name) => {
    if (isNullish(values[0])) return null
    const { units, width } = split(requireText(values[0], `${name} as the first argument`, codes[0]))
    const token = split(requireText(values[1], `${name} as the second argument`, codes[1])).units
    const { start, end } = bounds(values, name, units.length / width)
    if (width === 1) return new Int32(start > end ? -1 : units.subarray(0, end).indexOf(token, start))
    // Among code points only the beginning has to lie before the end. In an empty text, an empty one is at its end.
    if (units.length === 0 && token.length === 0) return new Int32(0)
    const at = start < end ? find(units, token, start * width, width) : -1
    return new Int32(at < end ? at : -1)
  })

function find(units: Buffer, token: Buffer, from: number, width: number): number {
  for (let at = units.indexOf(token, from); at >= 0; at = units.indexOf(token, at + 1))
    if (at % width === 0) return at / width
  return -1
}

/** The bytes of a text in UTF-8. */
const bytes = (text: string): { units: Buffer; width: number } => ({ units: Buffer.from(text), width: 1 })
/** The code points of a text, four bytes each. */
function codePoints(text: string): { units: Buffer; width: number } {
  countCreated(text.length / 8)
  const points = Uint32Array.from(text, character => character.codePointAt(0) ?? 0)
  return { units: Buffer.from(points.buffer), width: 4 }
}

const substrBytes: Operator = onValues(3, ([value, from, count]) => {
  const units = Buffer.from(toText(value))
  if (!isNumeric(from))
    return fail(`$substrBytes: starting index must be a numeric type, not ${shownType(from)}`, 'Location16034')
  if (!isNumeric(count))
    return fail(`$substrBytes: length must be a numeric type, not ${shownType(count)}`, 'Location16035')
  const [start, length] = [Math.trunc(toNumber(from)) || 0, Math.trunc(toNumber(count)) || 0]
  if (start < 0) fail(`$substrBytes: starting index must be non-negative (got: ${start})`, 'Location50752')
  const end = length < 0 ? units.length : Math.min(units.length, start + length)
  if (isContinuation(units[start]))
    fail('$substrBytes: Invalid range, starting index is a UTF-8 continuation byte.', 'Location28656')
  if (isContinuation(units[end]))
    fail('$substrBytes: Invalid range, ending index is in the middle of a UTF-8 character.', 'Location28657')
  return units.subarray(start, end).toString()
})

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

const substrCP: Operator = onValues(3, ([value, from, count]) => {
  const text = toText(value)
  const whole = (given: unknown, what: string, type: ErrorName, integral: ErrorName): number => {
    if (!isNumeric(given)) fail(`$substrCP: ${what} must be a numeric type, not ${shownType(given)}`, type)
    return int32(given) ?? fail(`$substrCP: ${what} cannot be represented as a 32-bit integral value`, integral)
  }
  const start = whole(from, 'starting index', 'Location34450', 'Location34451')
  const length = whole(count, 'length', 'Location34452', 'Location34453')
  if (length < 0) fail('$substrCP: length must be a nonnegative integer.', 'Location34454')
  if (start < 0) fail('$substrCP: the starting index must be nonnegative integer.', 'Location34455')
  countCreated(text.length / 8)
  return [...text].slice(start, start + length).join('')
})

const split: Operator = onValues(2, ([text, separator]) => {
  if (isNullish(text) || isNullish(separator)) return null
  const input = requireText(text, '$split as a first argument', 'Location40085')
  const by = requireText(separator, '$split as a second argument', 'Location40086')
  if (by === '') fail('$split requires a non-empty separator', 'Location40087')
  const parts = input.split(by)
  countCreated(parts.length)
  return parts
})

/** What `$trim` removes by default. */
const whitespace = '\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'

const trim = (left: boolean, right: boolean): Operator =>
  onNamedValues(
    { notObject: 'Location50696', unknown: 'Location50694' },
    { input: 'Location50695' },
    ['chars'],
    ({ input, chars }, given, name) => {
      if (isNullish(input)) return null
      const text = requireText(input, `${name} as its input`, 'Location50699')
      const hasChars = Object.hasOwn(given, 'chars')
      if (hasChars && isNullish(chars)) return null
      const removed = new Set(hasChars ? requireText(chars, `${name} as 'chars'`, 'Location50700') : whitespace)
      countCreated(text.length / 8)
      const points = [...text]
      let [start, end] = [0, points.length]
      while (left && start < end && removed.has(points[start] ?? '')) start++
      while (right && end > start && removed.has(points[end - 1] ?? '')) end--
      return points.slice(start, end).join('')
    },
  )

const replace = (apply: (input: string, find: string, replacement: string) => string): Operator =>
  onNamedValues(
    { notObject: 'Location51751', unknown: 'Location51750' },
    { input: 'Location51749', find: 'Location51748', replacement: 'Location51747' },
    [],
    ({ input, find, replacement }, _, name) => {
      const codes = ['Location51746', 'Location51745', 'Location51744'] as const
      const texts = [input, find, replacement].map((value, at) =>
        isNullish(value) ? null : requireText(value, `${name} as each argument`, codes[at] ?? 'BadValue'),
      )
      const [text = null, wanted = null, other = null] = texts
      return text === null || wanted === null || other === null ? null : apply(text, wanted, other)
    },
  )

function replaceFirst(input: string, wanted: string, replacement: string): string {
  const at = input.indexOf(wanted)
  return at < 0 ? input : input.slice(0, at) + replacement + input.slice(at + wanted.length)
}

function replaceEvery(input: string, wanted: string, replacement: string): string {
  if (wanted === '') fail("an empty 'find' of $replaceAll is not supported by this server")
  const parts = input.split(wanted)
  countCreated(parts.length + (input.length + parts.length * replacement.length) / 8)
  return parts.join(replacement)
}

const length = (code: ErrorName, measure: (text: string) => number): Operator =>
  onValues(1, ([value], name) => new Int32(measure(requireText(value, name, code))))

export const stringOperators: Readonly<Record<string, Operator>> = {
  $concat: concat,
  $indexOfBytes: indexOf(['Location40091', 'Location40092'], bytes),
  $indexOfCP: indexOf(['Location40093', 'Location40094'], codePoints),
  $ltrim: trim(true, false),
  $replaceAll: replace(replaceEvery),
  $replaceOne: replace(replaceFirst),
  $rtrim: trim(false, true),
  $split: split,
  $strcasecmp: strcasecmp,
  $strLenBytes: length('Location34473', text => Buffer.byteLength(text)),
  $strLenCP: length('Location34471', text => [...text].length),
  $substr: substrBytes,
  $substrBytes: substrBytes,
  $substrCP: substrCP,
  $toLower: onValues(1, ([value]) => toLower(toText(value))),
  $toUpper: onValues(1, ([value]) => toUpper(toText(value))),
  $trim: trim(true, true),
}
