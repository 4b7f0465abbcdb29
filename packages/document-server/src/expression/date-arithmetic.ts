import { Long } from 'bson'
import type { Doc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { type ErrorName, fail } from '../errors.ts'
import { onNamedValues, shownType } from './arguments.ts'
import { toTime, zoneOf } from './date-parts.ts'
import { isNullish, type Operator } from './scope.ts'
import { assertTime, fromLocal, localDate, type TimeZone, utcTime } from './time-zone.ts'

/** The units whose length is always the same, in milliseconds. */
const fixed = { hour: 3_600_000, minute: 60_000, second: 1000, millisecond: 1 } as const
/** The units that follow the calendar: in days, or in months. */
const days = { week: 7, day: 1 } as const
const months = { year: 12, quarter: 3, month: 1 } as const
type Unit = keyof typeof fixed | keyof typeof days | keyof typeof months

const dayMs = 24 * fixed.hour
const isUnit = (name: string): name is Unit => name in fixed || name in days || name in months
const mod = (value: number, divisor: number): number => value - Math.floor(value / divisor) * divisor

function unitOf(value: unknown, name: string): Unit {
  if (typeof value !== 'string')
    return fail(`${name} requires 'unit' to be a string, but got ${shownType(value)}`, 'Location5439013')
  return isUnit(value) ? value : fail(`${name}: unknown time unit value: ${value}`, 'FailedToParse')
}

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const weekdayNames = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

/** The number of a weekday, from Sunday as 0. Undefined for null. */
function weekdayOf(value: unknown, isGiven: boolean, name: string): number | undefined {
  if (!isGiven) return 0
  if (isNullish(value)) return undefined
  if (typeof value !== 'string')
    return fail(`${name} requires 'startOfWeek' to be a string, but got ${shownType(value)}`, 'Location5439015')
  const lower = value.toLowerCase()
  const at = Math.max(weekdays.indexOf(lower), weekdayNames.indexOf(lower))
  return at < 0 ? fail(`${name} parameter 'startOfWeek' cannot be recognized: ${value}`, 'Location5439016') : at
}

/** A whole number of 64 bits. */
function whole(value: unknown, message: string, code: ErrorName): number {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN
  return Number.isInteger(number) && Math.abs(number) <= 2 ** 63 ? number : fail(message, code)
}

const inMonths = (date: Date): number => date.getUTCFullYear() * 12 + date.getUTCMonth()
const dayNumber = (local: Date): number => Math.floor(local.getTime() / dayMs)

/** The date that is this many units later on the calendar, at the same time of the day. */
function added(at: number, unit: Unit, amount: number, zone: TimeZone): number {
  if (unit in fixed || amount === 0) return at + amount * (fixed[unit as keyof typeof fixed] ?? 0)
  const local = localDate(at, zone)
  if (unit in days) return fromLocal(local.getTime() + amount * days[unit as keyof typeof days] * dayMs, zone)
  const month = inMonths(local) + amount * months[unit as keyof typeof months]
  const last = new Date(utcTime(0, month + 1, 0)).getUTCDate()
  const date = utcTime(0, month, Math.min(local.getUTCDate(), last))
  return fromLocal(assertTime(date) + mod(local.getTime(), dayMs), zone)
}

/** About how many days MongoDB's dates span. An amount beyond is an error before anything is computed. */
const mostDays = 2 ** 64 / dayMs

const sum = (sign: 1 | -1): Operator =>
  onNamedValues(
    { notObject: 'Location5166400', unknown: 'Location5166401' },
    { startDate: 'Location5166402', unit: 'Location5166402', amount: 'Location5166402' },
    ['timezone'],
    ({ startDate, unit, amount, timezone }, given, name) => {
      if (isNullish(startDate) || isNullish(unit)) return null
      const step = unitOf(unit, name)
      if (isNullish(amount)) return null
      const zone = zoneOf(timezone, Object.hasOwn(given, 'timezone'))
      if (!zone) return null
      const at = toTime(startDate, 'Location5166403')
      const count = sign * whole(amount, `${name} expects integer amount of time units`, 'Location5166405')
      const length = step in fixed ? fixed[step as keyof typeof fixed] : dayMs
      if (Math.abs(count) * length >= mostDays * dayMs)
        fail(`invalid dateAdd 'amount' parameter value: ${count} ${step}`, 'Location5976500')
      return new Date(assertTime(added(at, step, count, zone)))
    },
  )

interface Place {
  /** The first day of a week, from Sunday as 0. */
  readonly weekday: number
  readonly zone: TimeZone
}

/** Reads a week's first day and the zone. Undefined if one of them is null. */
function calendar(values: Readonly<Record<string, unknown>>, given: Doc, unit: Unit, name: string): Place | undefined {
  const isGiven = unit === 'week' && Object.hasOwn(given, 'startOfWeek')
  const weekday = weekdayOf(values.startOfWeek, isGiven, name)
  const zone = zoneOf(values.timezone, Object.hasOwn(given, 'timezone'))
  return weekday === undefined || !zone ? undefined : { weekday, zone }
}

const difference: Operator = onNamedValues(
  { notObject: 'Location5166301', unknown: 'Location5166302' },
  { startDate: 'Location5166303', endDate: 'Location5166304', unit: 'Location5166305' },
  ['timezone', 'startOfWeek'],
  (values, given, name) => {
    if (isNullish(values.startDate) || isNullish(values.endDate) || isNullish(values.unit)) return null
    const unit = unitOf(values.unit, name)
    const place = calendar(values, given, unit, name)
    if (!place) return null
    const [start, end] = [toTime(values.startDate, 'Location5166307'), toTime(values.endDate, 'Location5166307')]
    return Long.fromNumber(
      unit in fixed ? elapsed(start, end, unit, place.zone) : passed(end, unit, place) - passed(start, unit, place),
    )
  },
)

/** The number of the calendar's unit that a moment lies in. */
function passed(at: number, unit: Unit, { weekday, zone }: Place): number {
  const local = localDate(at, zone)
  if (unit in months) return Math.floor(inMonths(local) / months[unit as keyof typeof months])
  if (unit === 'day') return dayNumber(local)
  // 1970-01-01 was a Thursday.
  return Math.floor((dayNumber(local) + 4 - weekday) / 7)
}

/** Hours begin as the clock shows them, but those that are skipped or come twice count as they pass. */
function elapsed(start: number, end: number, unit: Unit, zone: TimeZone): number {
  const length = fixed[unit as keyof typeof fixed]
  const [from, to] = [zone(start), zone(end)]
  return Math.floor((end + to) / length) - Math.floor((start + from) / length) + Math.trunc((from - to) / length)
}

const truncate: Operator = onNamedValues(
  { notObject: 'Location5439007', unknown: 'Location5439008' },
  { date: 'Location5439009', unit: 'Location5439010' },
  ['binSize', 'timezone', 'startOfWeek'],
  (values, given, name) => {
    const { date, unit, binSize } = values
    if (isNullish(date)) return null
    if (Object.hasOwn(given, 'binSize') && isNullish(binSize)) return null
    const size = Object.hasOwn(given, 'binSize')
      ? whole(binSize, `${name} requires 'binSize' to be a 64-bit integer`, 'Location5439017')
      : 1
    if (size <= 0) fail(`${name} requires 'binSize' to be greater than 0, but got value ${size}`, 'Location5439018')
    if (isNullish(unit)) return null
    const step = unitOf(unit, name)
    const place = calendar(values, given, step, name)
    return place ? new Date(assertTime(truncated(toTime(date, 'Location5166307'), step, size, place))) : null
  },
)

const reference = utcTime(2000, 0, 1)

/** The beginning of the bin that a moment lies in. One begins at the turn of the year 2000, or of the first week after it. */
function truncated(at: number, unit: Unit, size: number, { weekday, zone }: Place): number {
  if (unit in fixed) {
    const length = size * fixed[unit as keyof typeof fixed]
    if (length >= 2 ** 63) fail('dateTrunc overflowed', 'Location5439002')
    return at - mod(at - fromLocal(reference, zone), length)
  }
  const local = localDate(at, zone)
  if (unit in months) {
    const length = size * months[unit as keyof typeof months]
    const month = inMonths(local)
    return fromLocal(assertTime(utcTime(0, month - mod(month - 2000 * 12, length))), zone)
  }
  const first = dayNumber(new Date(reference)) + (unit === 'week' ? mod(weekday - 6, 7) : 0)
  const day = dayNumber(local)
  return fromLocal(assertTime((day - mod(day - first, size * days[unit as keyof typeof days])) * dayMs), zone)
}

export const dateArithmeticOperators: Readonly<Record<string, Operator>> = {
  $dateAdd: sum(1),
  $dateDiff: difference,
  $dateSubtract: sum(-1),
  $dateTrunc: truncate,
}
