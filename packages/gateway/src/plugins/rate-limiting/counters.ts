import { LENGTHS, type Period, windowStart } from './windows.ts'

/** How many requests each period allows. */
export type Limits = ReadonlyMap<Period, number>

/** What is left of a period's limit, after the request that asks. */
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

const DAY_MS = LENGTHS.day * 1000

/**
 * Counts requests by who sent them, in windows of the calendar. Looking and counting is one step without a pause, so the counts
 * are exact whatever the concurrency.
 *
 * Memory is bounded: senders are kept in two generations, of which the older one goes when the younger is full (of half of
 * `maxSenders`) or as old as the longest window. Only who sent nothing while half of `maxSenders` others did is forgotten too
 * early: a flood of addresses takes no more memory, and may let a few requests too many pass. One map in the order of use would
 * forget later, but took 38 µs a request in a flood: a map is slow to find its first key after many were deleted.
 */
export class Counters {
  readonly #maxYoung: number
  #young: Senders = new Map()
  #old: Senders = new Map()
  #turnAt = 0

  constructor(maxSenders: number) {
    this.#maxYoung = Math.floor(maxSenders / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Counts a request in every period, or in none when one of them is used up. `now`: milliseconds since 1970. */
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
    if (this.#young.size >= this.#maxYoung || now >= this.#turnAt) this.#turn(limits, now)
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
    // A month may have a day more than Kong says, and so may a year.
    const longest = Math.max(...[...limits.keys()].map(period => LENGTHS[period])) * 1000
    this.#turnAt = now + (longest > DAY_MS ? longest + DAY_MS : longest)
  }
}

function windowAt(windows: Window[], period: Period, now: number): Window {
  const start = windowStart(period, now)
  let window = windows.find(each => each.period === period)
  if (window === undefined) {
    window = { period, start, count: 0 }
    windows.push(window)
  }
  // A clock that was set back does not begin anew.
  if (start > window.start) {
    window.start = start
    window.count = 0
  }
  return window
}
