import { setTimeout as sleep } from 'node:timers/promises'

/** What a worker does: one of these for each subject, in a process that loads only its own packages. */
export interface Subject {
  /** Sends so many events to a stream. */
  readonly publish: (count: number) => Promise<Sample>
  /** Handles all events of {@link STREAM}, which has so many. */
  readonly consume: (count: number) => Promise<Sample>
  /** Sends events at a steady rate, and handles each. */
  readonly latency: (pace: Pace) => Promise<Sample>
}

export type Open = (urls: Urls) => Promise<Subject>

export interface Urls {
  readonly nats: string
  readonly postgres: string
}

/** A type rather than an interface, so that `medians` can take it. */
export type Sample = {
  readonly perSecond: number
  /** CPU of the worker's process per event. */
  readonly cpuMicros: number
  /** Of `latency` only, otherwise 0. */
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Pace {
  /** At most; undefined: as many as possible. */
  readonly perSecond?: number
  readonly count: number
}

/** The stream that both subjects consume. */
export const STREAM = 'EVENTS_item'
export const SUBJECT = 'item.changed'

const AGGREGATES = 500
const TEXT = 'x'.repeat(100)

/** The n-th event's data, the same for both. */
export const dataOf = (n: number) => ({ id: `0192f3a0-aggregate-${n % AGGREGATES}`, n, text: TEXT })

/** Headers as the relay sends them, so that all messages are equally large. */
export function headersOf(subject: string, n: number): Readonly<Record<string, string>> {
  const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  return {
    'Nats-Msg-Id': id,
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-type': subject,
    'ce-source': 'shop',
    'ce-time': '2026-01-01T00:00:00.000Z',
    'ce-dataversion': '1',
    'ce-aggregateid': dataOf(n).id,
    'ce-aggregatesequence': String(Math.floor(n / AGGREGATES) + 1),
  }
}

const BRINGING_UP = 0.2
/** What is due later than it could be sent waits: a busy machine makes nothing fail. */
const MOST_AT_ONCE = 8

function cpuMeter() {
  const began = process.cpuUsage()
  return (events: number) => {
    const { user, system } = process.cpuUsage(began)
    return (user + system) / events
  }
}

/** Counts events. Resolves once there were so many, to the rate after the first fifth, which brings everything up. */
export function counter(count: number) {
  const { promise, resolve } = Promise.withResolvers<Sample>()
  let [done, first, began, cpu] = [0, 0, 0, cpuMeter()]
  const reach = (now: number) => {
    done = now
    if (first === 0 && done >= count * BRINGING_UP) [first, began, cpu] = [done, performance.now(), cpuMeter()]
    if (done < count) return
    const measured = Math.max(1, count - first)
    const perSecond = (1000 * measured) / (performance.now() - began)
    resolve({ perSecond, cpuMicros: cpu(measured), p50Ms: 0, p99Ms: 0 })
  }
  return { reach, next: () => reach(done + 1), sample: promise }
}

/** Measures the time from when an event was on its way until it is handled, at a steady rate. */
export function timed({ perSecond = Number.POSITIVE_INFINITY, count }: Pace) {
  const [sentAt, handledAt] = [new Map<number, number>(), new Map<number, number>()]
  const all = Promise.withResolvers<void>()
  const note = (times: Map<number, number>, n: number, at: number) => {
    if (!times.has(n)) times.set(n, at)
    if (sentAt.size === count && handledAt.size === count) all.resolve()
  }
  /** @param send resolves to when the event was on its way */
  const run = async (send: (n: number) => Promise<number>): Promise<Sample> => {
    const [began, cpu] = [performance.now(), cpuMeter()]
    let sending = 0
    const sendOne = async (n: number) => {
      sending += 1
      note(sentAt, n, await send(n))
      sending -= 1
    }
    for (let n = 0; n < count; await sleep(1)) {
      const due = Math.min(count, Math.floor(((performance.now() - began) * perSecond) / 1000))
      for (; n < due && sending < MOST_AT_ONCE; n++) sendOne(n).catch(all.reject)
    }
    await all.promise
    const achieved = (1000 * count) / (performance.now() - began)
    const times = [...handledAt]
      .filter(([n]) => n >= count * BRINGING_UP)
      .map(([n, at]) => Math.max(0, at - (sentAt.get(n) ?? at)))
      .sort((a, b) => a - b)
    const at = (share: number) => times[Math.floor(times.length * share)] ?? 0
    return { perSecond: achieved, cpuMicros: cpu(count), p50Ms: at(0.5), p99Ms: at(0.99) }
  }
  return { handled: (n: number) => note(handledAt, n, performance.now()), run }
}
