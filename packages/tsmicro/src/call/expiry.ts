/** Times are rounded up to this many milliseconds, so that calls that end at about the same time share one timer. */
const TICK_MS = 8

/** Something that ends when its time is over; see {@link expireIn}. */
export abstract class Expiring {
  /** Neighbours in the list of its tick. Only this module may use them. */
  before: Expiring | undefined
  after: Expiring | undefined
  tick: number | undefined

  /** Called once, when the time is over; never after {@link forget}. */
  abstract expire(): void
}

/** The first of each tick's list. */
const ticks = new Map<number, Expiring>()
let count = 0
let timer: NodeJS.Timeout | undefined
let armedFor = Number.POSITIVE_INFINITY

/**
 * Lets something expire after `ms` milliseconds, or up to {@link TICK_MS} later. One timer serves all of them, because a timer for
 * each call would cost more than all other bookkeeping of a call.
 */
export function expireIn(ms: number, expiring: Expiring): void {
  const tick = Math.ceil((performance.now() + ms) / TICK_MS)
  const first = ticks.get(tick)
  expiring.tick = tick
  expiring.before = undefined
  expiring.after = first
  if (first) first.before = expiring
  ticks.set(tick, expiring)
  if (count++ === 0) timer?.ref()
  if (tick < armedFor) arm(tick)
}

/** Cancels an expiry. Does nothing if it has happened or was never planned. */
export function forget(expiring: Expiring): void {
  const { tick, before, after } = expiring
  if (tick === undefined) return
  if (after) after.before = before
  if (before) before.after = after
  else if (after) ticks.set(tick, after)
  else ticks.delete(tick)
  expiring.tick = undefined
  expiring.before = undefined
  expiring.after = undefined
  // With nothing left to wait for, the timer alone must not keep the process alive.
  if (--count === 0) timer?.unref()
}

/** How many have not expired yet. */
export function expiringCount(): number {
  return count
}

function arm(tick: number): void {
  clearTimeout(timer)
  armedFor = tick
  timer = setTimeout(expireDue, Math.max(1, Math.ceil(tick * TICK_MS - performance.now())))
}

function expireDue(): void {
  timer = undefined
  armedFor = Number.POSITIVE_INFINITY
  const now = performance.now()
  try {
    const due = [...ticks.keys()].filter(tick => tick * TICK_MS <= now)
    for (const tick of due.sort((one, other) => one - other)) expireAll(tick)
  } finally {
    let next = Number.POSITIVE_INFINITY
    for (const tick of ticks.keys()) next = Math.min(next, tick)
    if (next < armedFor) arm(next)
  }
}

function expireAll(tick: number): void {
  for (let first = ticks.get(tick); first; first = ticks.get(tick)) {
    forget(first)
    first.expire()
  }
}
