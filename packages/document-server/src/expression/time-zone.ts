import { ObjectId, Timestamp } from 'bson'
import { typeName } from '../bson/types.ts'
import { type ErrorName, fail } from '../errors.ts'

/** A place with its clock: the milliseconds that it is ahead of UTC at a moment. */
export type TimeZone = (at: number) => number

const day = 24 * 60 * 60 * 1000
export const utc: TimeZone = () => 0
const known = new Map<string, TimeZone>()

/** The time zone of an Olson name such as `Europe/Berlin`, or an offset such as `+02`, `-0330` or `+05:45`. */
export function timeZone(name: string): TimeZone {
  const found = known.get(name) ?? offsetZone(name) ?? namedZone(name)
  if (known.size < 1000) known.set(name, found)
  return found
}

function offsetZone(name: string): TimeZone | undefined {
  if (name === 'UTC' || name === 'GMT') return utc
  const match = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(name)
  if (!match) return undefined
  const offset = (Number(match[2]) * 60 + Number(match[3] ?? 0)) * 60_000 * (match[1] === '-' ? -1 : 1)
  return offset === 0 ? utc : () => offset
}

function namedZone(name: string): TimeZone {
  const unknown = (): never => fail(`unrecognized time zone identifier: "${name}"`, 'Location40485')
  // Intl also takes other ways of writing, which MongoDB does not know.
  if (!/^[A-Z]/.test(name) || name.length > 64) return unknown()
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory', {
      ...{ timeZone: name, hourCycle: 'h23', era: 'short' },
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
  } catch {
    return unknown()
  }
  return at => {
    const second = Math.floor(at / 1000) * 1000
    const parts = Object.fromEntries(format.formatToParts(second).map(({ type, value }) => [type, value]))
    const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year)
    const [month = 0, date, hour, minute, seconds] = ['month', 'day', 'hour', 'minute', 'second'].map(part =>
      Number(parts[part]),
    )
    return utcTime(year, month - 1, date, hour, minute, seconds) - second
  }
}

/** Like `Date.UTC`, but the years 0 to 99 are those and not 1900 to 1999. */
export function utcTime(year: number, month: number, date = 1, hour = 0, minute = 0, second = 0, ms = 0): number {
  const time = new Date(0)
  time.setUTCFullYear(year, month, date)
  return time.setUTCHours(hour, minute, second, ms)
}

/** The moment as a date whose UTC fields are what the clock shows there. */
export const localDate = (at: number, zone: TimeZone): Date => new Date(at + zone(at))

/** The moment at which the clock shows this. A time that is skipped is later by what is skipped, one that comes twice is the first. */
export function fromLocal(local: number, zone: TimeZone): number {
  const [before, after] = [zone(local - day), zone(local + day)]
  const early = local - before
  return zone(early) === before || zone(local - after) !== after ? early : local - after
}

/** The time of a value that MongoDB takes for a date. @throws CommandError for other types, and beyond JavaScript's dates */
export function timeOf(value: unknown, refuse: (type: string) => never): number {
  const time =
    value instanceof Date
      ? value.getTime()
      : value instanceof Timestamp
        ? value.getHighBitsUnsigned() * 1000
        : value instanceof ObjectId
          ? value.getTimestamp().getTime()
          : refuse(typeName(value))
  return assertTime(time)
}

/** @throws CommandError for a time beyond JavaScript's dates */
export function assertTime(time: number, code: ErrorName = 'BadValue'): number {
  return Number.isNaN(new Date(time).getTime()) ? fail('a date is beyond the years that this server knows', code) : time
}

export const pad = (value: number, length: number): string => String(value).padStart(length, '0')

/** @throws CommandError for years that have no four digits */
export function assertYear(year: number): void {
  if (year < 0 || year > 9999)
    fail(`$dateToString is only defined on year 0-9999, tried to use year ${year}`, 'Location18537')
}

/** `2026-01-02T03:04:05.678Z` */
export function isoText(date: Date): string {
  assertTime(date.getTime())
  assertYear(date.getUTCFullYear())
  return date.toISOString()
}
