import { Int32, Long } from 'bson'
import { isDoc } from '../bson/document.ts'
import { type ErrorName, fail } from '../errors.ts'
import { namedArguments, onNamedValues, shownType } from './arguments.ts'
import { isNullish, type Operator } from './scope.ts'
import { assertYear, localDate, pad, type TimeZone, timeOf, timeZone, utc, utcTime } from './time-zone.ts'

/** The zone that an argument names. Undefined for null. */
export function zoneOf(value: unknown, isGiven: boolean): TimeZone | undefined {
  if (!isGiven) return utc
  if (isNullish(value)) return undefined
  return typeof value === 'string'
    ? timeZone(value)
    : fail(`timezone must evaluate to a string, found ${shownType(value)}`, 'Location40517')
}

export const toTime = (value: unknown, code: ErrorName = 'Location16006'): number =>
  timeOf(value, type => fail(`can't convert from BSON type ${type} to Date`, code))

/** One part of a date. The given date's UTC fields are those of the zone. */
const part =
  (read: (local: Date) => number, wrap: (value: number) => Int32 | Long = value => new Int32(value)): Operator =>
  (argument, scope, name) => {
    const [first] = isDoc(argument) ? Object.keys(argument) : []
    const isNamed = isDoc(argument) && first?.startsWith('$') !== true
    if (isNamed) {
      const refusals = { notObject: 'Location40535', unknown: 'Location40535' } as const
      namedArguments(argument, name, refusals, { date: 'Location40539' }, ['timezone'])
    }
    if (Array.isArray(argument) && argument.length !== 1)
      fail(`${name} accepts exactly one argument if given an array, but was given ${argument.length}`, 'Location40536')
    const date = scope.compile(isNamed ? argument.date : Array.isArray(argument) ? argument[0] : argument, scope)
    const isZoned = isNamed && Object.hasOwn(argument, 'timezone')
    const zone = scope.compile(isZoned ? argument.timezone : null, scope)
    return (doc, locals) => {
      const value = date(doc, locals)
      if (isNullish(value)) return null
      const at = toTime(value)
      const place = zoneOf(zone(doc, locals), isZoned)
      return place ? wrap(read(localDate(at, place))) : null
    }
  }

const dayMs = 24 * 60 * 60 * 1000
const dayOfYear = (date: Date): number => Math.floor((date.getTime() - utcTime(date.getUTCFullYear(), 0)) / dayMs) + 1
/** Weeks begin on Sundays. The days before the first one are in week 0. */
const week = (date: Date): number => Math.floor((dayOfYear(date) - date.getUTCDay() + 6) / 7)
const isoDay = (date: Date): number => date.getUTCDay() || 7
/** An ISO week belongs to the year of its Thursday. */
const thursday = (date: Date): Date => new Date(date.getTime() + (4 - isoDay(date)) * dayMs)
const isoYear = (date: Date): number => thursday(date).getUTCFullYear()
const isoWeek = (date: Date): number => Math.ceil(dayOfYear(thursday(date)) / 7)

const months = 'January February March April May June July August September October November December'.split(' ')
const monthName = (date: Date): string => months[date.getUTCMonth()] ?? ''

function offsetText(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `${minutes < 0 ? '-' : '+'}${pad(hours, 2)}${pad(rest, 2)}`
}

/** What a `%` and a letter stand for in a format. */
const specifiers: Readonly<Record<string, (local: Date, offset: number) => string>> = {
  '%': () => '%',
  b: date => monthName(date).slice(0, 3),
  B: monthName,
  d: date => pad(date.getUTCDate(), 2),
  G: date => pad(isoYear(date), 4),
  H: date => pad(date.getUTCHours(), 2),
  j: date => pad(dayOfYear(date), 3),
  L: date => pad(date.getUTCMilliseconds(), 3),
  m: date => pad(date.getUTCMonth() + 1, 2),
  M: date => pad(date.getUTCMinutes(), 2),
  S: date => pad(date.getUTCSeconds(), 2),
  u: date => String(isoDay(date)),
  U: date => pad(week(date), 2),
  V: date => pad(isoWeek(date), 2),
  Y: date => pad(date.getUTCFullYear(), 4),
  z: (_, offset) => offsetText(offset),
  Z: (_, offset) => `${offset < 0 ? '-' : '+'}${Math.abs(offset)}`,
}

function assertFormat(format: string): void {
  for (const [, letter = ''] of format.matchAll(/%(.?)/gs)) {
    if (letter === '') fail("Unmatched '%' at end of format string", 'Location18535')
    if (!Object.hasOwn(specifiers, letter))
      fail(`Invalid format character '%${letter}' in format string`, 'Location18536')
  }
}

function formatted(at: number, zone: TimeZone, format: string): string {
  const local = localDate(at, zone)
  assertYear(local.getUTCFullYear())
  const offset = Math.trunc(zone(at) / 60_000)
  return format.replace(/%(.)/gs, (_, letter: string) => specifiers[letter]?.(local, offset) ?? '')
}

const dateToString: Operator = onNamedValues(
  { notObject: 'Location18629', unknown: 'Location18534' },
  { date: 'Location18628' },
  ['format', 'timezone', 'onNull'],
  ({ date, format, timezone, onNull }, given) => {
    if (!isNullish(format)) {
      if (typeof format !== 'string')
        return fail(`$dateToString requires that 'format' be a string, found: ${shownType(format)}`, 'Location18533')
      assertFormat(format)
    }
    const zone = zoneOf(timezone, Object.hasOwn(given, 'timezone'))
    if (isNullish(date)) return Object.hasOwn(given, 'onNull') ? onNull : null
    if (!zone || (Object.hasOwn(given, 'format') && isNullish(format))) return null
    return formatted(toTime(date), zone, format ?? `%Y-%m-%dT%H:%M:%S.%L${zone === utc ? 'Z' : ''}`)
  },
)

export const datePartOperators: Readonly<Record<string, Operator>> = {
  $dateToString: dateToString,
  $dayOfMonth: part(date => date.getUTCDate()),
  $dayOfWeek: part(date => date.getUTCDay() + 1),
  $dayOfYear: part(dayOfYear),
  $hour: part(date => date.getUTCHours()),
  $isoDayOfWeek: part(isoDay),
  $isoWeek: part(isoWeek),
  $isoWeekYear: part(isoYear, value => Long.fromNumber(value)),
  $millisecond: part(date => date.getUTCMilliseconds()),
  $minute: part(date => date.getUTCMinutes()),
  $month: part(date => date.getUTCMonth() + 1),
  $second: part(date => date.getUTCSeconds()),
  $week: part(week),
  $year: part(date => date.getUTCFullYear()),
}
