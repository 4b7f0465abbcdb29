export const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const
export type Period = (typeof PERIODS)[number]

/** The length of each window in seconds, as Kong has it: a month has 30 days and a year 365, whatever the calendar says. */
export const LENGTHS: Readonly<Record<Period, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  month: 2_592_000,
  year: 31_536_000,
}

const DAY_MS = LENGTHS.day * 1000

/** How many requests each period allows. */
export type Limits = ReadonlyMap<Period, number>

/** What is left of a period's limit after a request. */
interface Usage {
  readonly period: Period
  readonly limit: number
  /** Never below 0. */
  readonly remaining: number
  /** When the window began, in milliseconds since 1970. */
  readonly start: number
}

export interface Taken {
  readonly exceeded: boolean
  readonly usages: readonly Usage[]
}

interface Window {
  readonly period: Period
  start: number
  count: number
}

type Senders = Map<string, Window[]>

/**
 * Counts requests by sender, in windows of the calendar. Checking and counting is one synchronous step, so the counts are exact
 * under any concurrency.
 *
 * Memory is bounded. Senders are kept in two generations, each of at most half of `maxSenders`. When the younger one is full, or
 * as old as the longest window, the older one is dropped. A sender is forgotten too early only if it sent nothing while half of
 * `maxSenders` others did, so a flood of addresses may let a few requests too many pass. A single map in the order of use would
 * forget later, but took 38 µs per request in a flood: a map is slow to find its first key after many deletions.
 */
export class Counters {
  readonly #maxYoung: number
  #young: Senders = new Map()
  #old: Senders = new Map()
  #nextTurn = 0

  constructor(maxSenders: number) {
    this.#maxYoung = Math.floor(maxSenders / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Counts a request in every period, or in none if one of them is used up. `now`: milliseconds since 1970. */
  take(sender: string, limits: Limits, now: number): Taken {
    const windows = this.#windowsOf(sender, limits, now)
    const current = [...limits].map(([period, limit]) => ({ limit, window: windowAt(windows, period, now) }))
    const exceeded = current.some(({ limit, window }) => window.count >= limit)
    const usages = current.map(({ limit, window }) => {
      if (!exceeded) window.count += 1
      const { period, start, count } = window
      return { period, limit, remaining: Math.max(0, limit - count), start }
    })
    return { exceeded, usages }
  }

  #windowsOf(sender: string, limits: Limits, now: number): Window[] {
    if (this.#young.size >= this.#maxYoung || now >= this.#nextTurn) this.#turn(limits, now)
    const young = this.#young.get(sender)
    if (young !== undefined) return young
    const windows = this.#old.get(sender) ?? []
    this.#old.delete(sender)
    this.#young.set(sender, windows)
    return windows
  }

  #turn(limits: Limits, now: number): void {
    this.#old = this.#young
    this.#young = new Map()
    // A real month or year may be a day longer than Kong's.
    const longest = Math.max(...[...limits.keys()].map(period => LENGTHS[period])) * 1000
    this.#nextTurn = now + (longest > DAY_MS ? longest + DAY_MS : longest)
  }
}

function windowAt(windows: Window[], period: Period, now: number): Window {
  const start = windowStart(period, now)
  let window = windows.find(each => each.period === period)
  if (window === undefined) {
    window = { period, start, count: 0 }
    windows.push(window)
  }
  // A clock that was set back does not start a new window.
  if (start > window.start) {
    window.start = start
    window.count = 0
  }
  return window
}

/** When the window of a given time began, both in milliseconds since 1970. Windows follow the calendar, in UTC. */
export function windowStart(period: Period, now: number): number {
  if (period !== 'month' && period !== 'year') return now - (now % (LENGTHS[period] * 1000))
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), period === 'month' ? date.getUTCMonth() : 0)
}
