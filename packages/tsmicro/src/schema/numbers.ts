import type { ValidationDetail } from '../errors/index.ts'

/** As JSON writes numbers. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** As many digits come back as they were. */
const MOST_EXACT = 15
const SHORT = /^-?[\d.]{1,15}$/
/** The longest text that is looked at; the largest number, written out, has 309 digits. */
const LONGEST = 500
/** Significant digits that `toPrecision` knows. */
const MOST_DIGITS = 100

/**
 * The number that a text spells; undefined when it spells none, or one that a number cannot hold: `1e400`,
 * `9007199254740993`, a decimal with more digits than would come back. `-0` is 0, as JSON writes it.
 */
export function numberOf(text: string): number | undefined {
  return NUMBER.test(text) && isHeld(text) ? Number(text) + 0 : undefined
}

/** Whether a text is a number that a JavaScript number cannot hold. */
export function isBeyondNumbers(text: string): boolean {
  return text.length <= 20_000 && NUMBER.test(text) && !isHeld(text)
}

/** What is wrong with a JSON text whose numbers `JSON.parse` rounds without a word. */
export function findInexact(json: string, path: string): ValidationDetail | undefined {
  const number = inexactNumber(json)
  return number === undefined ? undefined : { path, message: `${number.slice(0, 50)} ${BEYOND}` }
}

/** For `JSON.parse`: puts NaN, which JSON does not have, in the place of what a number cannot hold. */
export function markInexact(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && !isHeld(context?.source ?? String(value)) ? Number.NaN : value
}

/** Whether {@link markInexact} has marked something in a value. */
export function hasInexact(value: unknown): boolean {
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (Number.isNaN(next)) return true
    if (typeof next === 'object' && next !== null) for (const member of Object.values(next)) pending.push(member)
  }
  return false
}

/** What a client is told of such a number. */
export const BEYOND = 'is beyond what a number can hold; send it as text where the schema has a text'

/** An exponent of three digits; one of fewer is within what a number can hold. */
const LARGE_EXPONENT = /\d[eE][+-]?\d{3}/

/** Whether a text has sixteen digits in a row, or a large exponent: few have, and only those are looked at. */
function isSuspect(text: string): boolean {
  // Every sixteenth character is enough to meet such a row.
  for (let index = MOST_EXACT; index < text.length; index += MOST_EXACT + 1) {
    if (!isDigit(text.charCodeAt(index))) continue
    let [first, last] = [index, index]
    while (isDigit(text.charCodeAt(first - 1))) first -= 1
    while (isDigit(text.charCodeAt(last + 1))) last += 1
    if (last - first >= MOST_EXACT) return true
    index = last
  }
  return LARGE_EXPONENT.test(text)
}

/** Digits, and the point between them. */
function isDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46
}

const NUMBERS = /-?\d[\d.]*(?:[eE][+-]?\d+)?/g

/** The first number of a valid JSON text that would not come back as it is written. */
function inexactNumber(json: string): string | undefined {
  if (!isSuspect(json)) return undefined
  for (let index = 0; index < json.length; ) {
    const quote = json.indexOf('"', index)
    const end = quote === -1 ? json.length : quote
    for (const [number] of json.slice(index, end).matchAll(NUMBERS)) if (!isHeld(number)) return number
    index = quote === -1 ? json.length : endOfString(json, quote)
  }
  return undefined
}

function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end === -1 ? json.length : end + 1
}

function isEscaped(json: string, index: number): boolean {
  let first = index
  while (json[first - 1] === '\\') first -= 1
  return (index - first) % 2 === 1
}

/** A number holds what it gives back: written with as many digits, or as short as it can be, it is the same. */
function isHeld(text: string): boolean {
  if (SHORT.test(text)) return true
  if (text.length > LONGEST) return false
  const number = Number(text)
  if (!Number.isFinite(number)) return false
  const wanted = decimalOf(text)
  const { length } = wanted.slice(wanted.indexOf(' ') + 1)
  if (length === 0 || wanted === decimalOf(String(number))) return true
  return length <= MOST_DIGITS && wanted === decimalOf(number.toPrecision(length))
}

/** Place of the point and significant digits, without the sign: `1.50` and `15e-1` are the same. */
function decimalOf(text: string): string {
  const [mantissa = '', exponent = '0'] = text
    .replace('-', '')
    .toLowerCase()
    .split(/e(?=[+-]?\d+$)/)
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = `${whole}${fraction}`
  const digits = all.replace(/^0+/, '')
  const point = whole.length - (all.length - digits.length) + Number(exponent)
  const significant = digits.replace(/0+$/, '')
  return significant === '' ? '0 ' : `${point} ${significant}`
}
