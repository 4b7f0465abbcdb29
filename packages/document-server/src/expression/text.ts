import { BSONSymbol, Code, Decimal128, Long } from 'bson'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { shownType } from './arguments.ts'
import { isNullish } from './scope.ts'
import { isoText } from './time-zone.ts'

/** A double as MongoDB writes it: with 16 digits, and an exponent where C's `%g` has one. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', power = '0'] = value.toExponential(15).split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 16) {
    const fixed = value.toFixed(Math.max(0, 15 - exponent))
    return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed
  }
  const digits = Math.abs(exponent).toString().padStart(2, '0')
  return `${mantissa.replace(/\.?0+$/, '')}e${exponent < 0 ? '-' : '+'}${digits}`
}

export function numberText(value: Parameters<typeof toNumber>[0]): string {
  if (value instanceof Long || value instanceof Decimal128) return value.toString()
  return doubleText(toNumber(value))
}

/** The text that operators such as `$toUpper` make of a value. Null is empty. @throws CommandError for types without a text */
export function toText(value: unknown): string {
  if (isNullish(value)) return ''
  if (typeof value === 'string') return value
  if (isNumeric(value)) return numberText(value)
  if (value instanceof Date) return isoText(value)
  if (value instanceof BSONSymbol) return value.value
  if (value instanceof Code) return value.code
  return fail(`can't convert from BSON type ${shownType(value)} to String`, 'Location16007')
}
