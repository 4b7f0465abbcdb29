/** One moment by two clocks: one cannot be set, the other goes on while the machine sleeps. */
export type Instant = readonly [steady: number, wall: number]

export type Clock = () => Instant

export const systemClock: Clock = () => [performance.now(), Date.now()]

/** Milliseconds between two moments, by the clock that says more: whatever counts on them ends too early rather than too late. */
export function elapsed(from: Instant, until: Instant): number {
  return Math.max(until[0] - from[0], until[1] - from[1])
}
