import { type Problems, problemsIn } from './problems.ts'

/** A number in JSON's syntax. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** A double preserves this many significant digits. */
const MOST_EXACT = 15
const SHORT = /^-?[\d.]{1,15}$/
/** The longest text that is examined. The largest number has 309 digits when written out. */
const LONGEST = 500
/** The most significant digits that `toPrecision` accepts. */
const MOST_DIGITS = 100

/**
 * The number that a text spells. Undefined if the text is not a number, or not one that a JavaScript number can hold: `1e400`,
 * `9007199254740993`, a decimal with too many digits. `-0` is 0, as JSON writes it.
 */
export function numberOf(text: string): number | undefined {
  return NUMBER.test(text) && isHeld(text) ? Number(text) + 0 : undefined
}

/** Whether a text is a number that a JavaScript number cannot hold. */
export function isBeyondNumbers(text: string): boolean {
  return text.length <= 20_000 && NUMBER.test(text) && !isHeld(text)
}

/**
 * Parses a JSON text with NaN, which JSON itself cannot contain, for each number that `JSON.parse` would silently round; undefined if there
 * is none. NaN stands for a whole that is nested too deeply to be marked.
 */
export function markRounded(json: string): unknown {
  if (!hasRounded(json)) return undefined
  try {
    return JSON.parse(json, (_name, value, context?: { readonly source?: string }) =>
      typeof value === 'number' && !isHeld(context?.source ?? String(value)) ? Number.NaN : value,
    )
  } catch {
    return Number.NaN
  }
}

/** Names the fields that {@link markRounded} has marked. */
export function roundedIn(marked: unknown): Problems {
  return problemsIn(marked, each => (Number.isNaN(each) ? BEYOND : undefined))
}

/** The message to a client about such a number. */
export const BEYOND = 'is beyond what a number can hold; send it as text where the schema has a text'

/** An exponent of three digits or more; with fewer, a number cannot overflow. */
const LARGE_EXPONENT = /\d[eE][+-]?\d{3}/

/** Whether a text has sixteen digits in a row, or a large exponent. Only the few that do are examined. */
function isSuspect(text: string): boolean {
  // Every sixteenth character is enough to hit such a row.
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

/** Digits and the decimal point. */
function isDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46
}

const NUMBERS = /-?\d[\d.]*(?:[eE][+-]?\d+)?/g

/** Whether parsing would change a number of a valid JSON text. */
function hasRounded(json: string): boolean {
  if (!isSuspect(json)) return false
  for (let index = 0; index < json.length; ) {
    const quote = json.indexOf('"', index)
    const end = quote === -1 ? json.length : quote
    for (const [number] of json.slice(index, end).matchAll(NUMBERS)) if (!isHeld(number)) return true
    index = quote === -1 ? json.length : endOfString(json, quote)
  }
  return false
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

/** A number is exact if it prints as it was written, either with as many digits or in its shortest form. */
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

/** Position of the decimal point and significant digits, without the sign: `1.50` and `15e-1` give the same. */
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
