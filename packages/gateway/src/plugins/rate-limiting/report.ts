import type { Taken } from './counters.ts'
import { LENGTHS, type Period } from './windows.ts'

export interface Report {
  /** Name and value. */
  readonly fields: readonly (readonly [string, string])[]
  /** Seconds until the window begins anew of which the least is left. */
  readonly reset: number
}

/** Kong's header fields: of every period, and `RateLimit-*` of the one with the least left (of two alike, the longer). */
export function report({ usages }: Taken, now: number): Report {
  const fields: [string, string][] = []
  let tightest = usages[0]
  for (const usage of usages) {
    const name = titleOf(usage.period)
    fields.push([`X-RateLimit-Limit-${name}`, String(usage.limit)])
    fields.push([`X-RateLimit-Remaining-${name}`, String(usage.remaining)])
    if (tightest === undefined || usage.remaining < tightest.remaining) tightest = usage
    else if (usage.remaining === tightest.remaining && LENGTHS[usage.period] > LENGTHS[tightest.period])
      tightest = usage
  }
  if (tightest === undefined) return { fields, reset: 1 }
  const reset = Math.max(1, LENGTHS[tightest.period] - Math.floor((now - tightest.start) / 1000))
  fields.push(['RateLimit-Limit', String(tightest.limit)])
  fields.push(['RateLimit-Remaining', String(tightest.remaining)])
  fields.push(['RateLimit-Reset', String(reset)])
  return { fields, reset }
}

function titleOf(period: Period): string {
  return period.charAt(0).toUpperCase() + period.slice(1)
}
