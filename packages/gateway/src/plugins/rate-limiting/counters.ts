import { LENGTHS, type Period, windowStart } from './windows.ts'

/** How many requests each period allows. */
export type Limits = ReadonlyMap<Period, number>

/** What is left of a period's limit, after the request that asks. */
export interface Usage {
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
  start: number
  count: number
}

type Windows = Map<Period, Window>

/**
 * Counts requests by who sent them, in windows of the calendar. Looking and counting is one step without a pause, so the counts
 * are exact whatever the concurrency. Of so many senders that there is no room, the one that was not heard of the longest is
 * forgotten: a flood of addresses takes no more memory, and may let a few requests too many pass.
 */
export class Counters {
  readonly #maxSenders: number
  readonly #senders = new Map<string, Windows>()

  constructor(maxSenders: number) {
    this.#maxSenders = maxSenders
  }

  get size(): number {
    return this.#senders.size
  }

  /** Counts a request in every period, or in none when one of them is used up. `now`: milliseconds since 1970. */
  take(sender: string, limits: Limits, now: number): Taken {
    const windows = this.#windowsOf(sender, now)
    const current = [...limits].map(([period, limit]) => ({ period, limit, window: windowAt(windows, period, now) }))
    const exceeded = current.some(({ limit, window }) => window.count >= limit)
    const usages = current.map(({ period, limit, window }) => {
      if (!exceeded) window.count += 1
      return { period, limit, remaining: Math.max(0, limit - window.count), start: window.start }
    })
    return { exceeded, usages }
  }

  #windowsOf(sender: string, now: number): Windows {
    const known = this.#senders.get(sender)
    if (known !== undefined) this.#senders.delete(sender)
    else this.#makeRoom(now)
    const windows: Windows = known ?? new Map()
    // The last place is that of the most recent.
    this.#senders.set(sender, windows)
    return windows
  }

  /** For one more. Two at a time of those whose windows are over go too, so that what a flood left does not stay. */
  #makeRoom(now: number): void {
    for (let i = 0; i < 2; i++) {
      const [oldest] = this.#senders
      if (oldest === undefined) return
      const [sender, windows] = oldest
      if (this.#senders.size < this.#maxSenders && !isOver(windows, now)) return
      this.#senders.delete(sender)
    }
  }
}

function windowAt(windows: Windows, period: Period, now: number): Window {
  const start = windowStart(period, now)
  let window = windows.get(period)
  // A clock that was set back does not begin anew.
  if (window === undefined || start > window.start) {
    window = { start, count: 0 }
    windows.set(period, window)
  }
  return window
}

/** A month of 31 days is longer than Kong says; a day more is enough for every period. */
function isOver(windows: Windows, now: number): boolean {
  for (const [period, { start }] of windows) {
    const slack = period === 'month' || period === 'year' ? LENGTHS.day : 0
    if (now < start + (LENGTHS[period] + slack) * 1000) return false
  }
  return true
}
