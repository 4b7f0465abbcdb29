export const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const
export type Period = (typeof PERIODS)[number]

/** Seconds that Kong counts to the end of a window: a month has 30 days and a year 365, whatever the calendar says. */
export const LENGTHS: Readonly<Record<Period, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  month: 2_592_000,
  year: 31_536_000,
}

/** When the window of a time began, both in milliseconds since 1970: windows follow the calendar, in UTC. */
export function windowStart(period: Period, now: number): number {
  if (period !== 'month' && period !== 'year') return now - (now % (LENGTHS[period] * 1000))
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), period === 'month' ? date.getUTCMonth() : 0)
}
