import { Decimal128 } from 'bson'

/** A finite decimal: `digits × 10^exponent`. Its sign is apart, as decimals have a negative zero. */
interface Decimal {
  readonly negative: boolean
  readonly digits: bigint
  readonly exponent: number
}

/** How digits that do not fit are dropped: to the nearest even digit, towards zero, up or down. */
export type Rounding = 'even' | 'zero' | 'up' | 'down'
export type DecimalOperation = '+' | '-' | '*' | '/' | '%'

const mostDigits = 34
const leastExponent = -6176
const mostExponent = 6111
const power = (exponent: number): bigint => 10n ** BigInt(exponent)
const lengthOf = (digits: bigint): number => digits.toString().length

/** The parts of a text such as `-1.50E+3`. Undefined for NaN and infinities. */
function parse(text: string): Decimal | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:E([+-]?\d+))?$/i.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  return { negative: sign === '-', digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length }
}

function withExponent(value: Decimal, exponent: number, rounding: Rounding): Decimal {
  const shift = exponent - value.exponent
  if (shift <= 0) return { ...value, digits: value.digits * power(-shift), exponent }
  // Beyond all digits, how far does not matter.
  const unit = power(Math.min(shift, lengthOf(value.digits) + 1))
  const rest = value.digits % unit
  const kept = value.digits / unit
  const isUp = {
    even: rest * 2n > unit || (rest * 2n === unit && kept % 2n === 1n),
    zero: false,
    up: rest > 0n && !value.negative,
    down: rest > 0n && value.negative,
  }[rounding]
  return { ...value, digits: isUp ? kept + 1n : kept, exponent }
}

/** Rounds to what Decimal128 holds: 34 digits, and exponents from -6176 to 6111. */
function toDecimal128(given: Decimal): Decimal128 {
  let value = given
  for (let excess = 1; excess > 0; ) {
    excess = Math.max(lengthOf(value.digits) - mostDigits, leastExponent - value.exponent, 0)
    if (excess > 0) value = withExponent(value, value.exponent + excess, 'even')
  }
  if (value.exponent > mostExponent) {
    const isTooLarge = value.digits > 0n && lengthOf(value.digits) + value.exponent - mostExponent > mostDigits
    if (isTooLarge) return Decimal128.fromString(value.negative ? '-Infinity' : 'Infinity')
    value = value.digits > 0n ? withExponent(value, mostExponent, 'zero') : { ...value, exponent: mostExponent }
  }
  return Decimal128.fromString(`${value.negative ? '-' : ''}${value.digits}E${value.exponent}`)
}

/** Reads a decimal with any number of digits, rounded to 34. The text is one that `Number` accepts, too. */
export function readDecimal(text: string): Decimal128 {
  const value = parse(text)
  return value ? toDecimal128(value) : Decimal128.fromString(text)
}

/** The decimal of a double: with the 15 digits that MongoDB takes over, or with all that matter. */
export function decimalFromDouble(value: number, digits: 'some' | 'all' = 'some'): Decimal128 {
  if (!Number.isFinite(value)) return Decimal128.fromString(String(value))
  if (value === 0) return Decimal128.fromString(Object.is(value, -0) ? '-0' : '0')
  if (digits === 'some') return Decimal128.fromString(value.toPrecision(15))
  // A finite double is an integer times 2^-k, which is that integer times 5^k times 10^-k.
  let scaled = Math.abs(value)
  let shift = 0
  for (; !Number.isInteger(scaled); shift++) scaled *= 2
  return toDecimal128({ negative: value < 0, digits: BigInt(scaled) * 5n ** BigInt(shift), exponent: -shift })
}

/** Arithmetic as IEEE 754 defines it: exact, then rounded to 34 digits. `%` has the sign of the dividend. */
export function decimalArithmetic(operation: DecimalOperation, a: Decimal128, b: Decimal128): Decimal128 {
  const [x, y] = [parse(a.toString()), parse(b.toString())]
  if (!x || !y) return notFinite(operation, a, b)
  if (operation === '*')
    return toDecimal128({
      negative: x.negative !== y.negative,
      digits: x.digits * y.digits,
      exponent: x.exponent + y.exponent,
    })
  if (operation === '/') return divided(x, y)
  const exponent = Math.min(x.exponent, y.exponent)
  const [p, q] = [x, y].map(value => withExponent(value, exponent, 'zero').digits) as [bigint, bigint]
  if (operation === '%')
    return q === 0n ? Decimal128.fromString('NaN') : toDecimal128({ negative: x.negative, digits: p % q, exponent })
  const isNegativeB = y.negative !== (operation === '-')
  const sum = (x.negative ? -p : p) + (isNegativeB ? -q : q)
  const negative = sum < 0n || (sum === 0n && x.negative && isNegativeB)
  return toDecimal128({ negative, digits: sum < 0n ? -sum : sum, exponent })
}

/** With a NaN or an infinity the result is one as well, or zero, or the dividend: only the signs matter. */
function notFinite(operation: DecimalOperation, a: Decimal128, b: Decimal128): Decimal128 {
  const [x, y] = [Number(a.toString()), Number(b.toString())]
  if (operation === '%') return Number.isFinite(x) && !Number.isNaN(y) ? a : Decimal128.fromString('NaN')
  const result = operation === '+' ? x + y : operation === '-' ? x - y : operation === '*' ? x * y : x / y
  return Decimal128.fromString(result === 0 ? `${Object.is(result, -0) ? '-' : ''}0E-6176` : String(result))
}

function divided(x: Decimal, y: Decimal): Decimal128 {
  const negative = x.negative !== y.negative
  if (y.digits === 0n) return Decimal128.fromString(x.digits === 0n ? 'NaN' : negative ? '-Infinity' : 'Infinity')
  const preferred = x.exponent - y.exponent
  const more = Math.max(0, mostDigits + 2 + lengthOf(y.digits) - lengthOf(x.digits))
  const scaled = x.digits * power(more)
  let digits = scaled / y.digits
  let exponent = preferred - more
  // A last digit stands for the rest, so that the quotient is rounded only once.
  if (scaled % y.digits !== 0n) return toDecimal128({ negative, digits: digits * 10n + 1n, exponent: exponent - 1 })
  for (; exponent < preferred && digits % 10n === 0n; exponent++) digits /= 10n
  return toDecimal128({ negative, digits, exponent })
}

/** The integer part of a finite decimal. */
export function integerOf(value: Decimal128): bigint {
  const parts = parse(value.toString())
  const { digits } = withExponent(parts ?? { negative: false, digits: 0n, exponent: 0 }, 0, 'zero')
  return parts?.negative ? -digits : digits
}

/** Rounds to a number of decimal places, as far as 34 digits allow. NaN and infinities stay as they are. */
export function roundDecimal(value: Decimal128, places: number, rounding: Rounding): Decimal128 {
  const parts = parse(value.toString())
  if (!parts) return value
  const rounded = withExponent(parts, -places, rounding)
  const excess = lengthOf(rounded.digits) - mostDigits
  return toDecimal128(excess > 0 ? withExponent(parts, Math.min(parts.exponent, -places + excess), rounding) : rounded)
}
