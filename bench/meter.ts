import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** The work of one process between two marks. */
export interface Window {
  readonly elapsedMs: number
  readonly calls: number
  /** User and system time of the whole process. */
  readonly cpuMicros: number
  /** How often the process went to sleep and was woken, e.g. by a message. */
  readonly wakeUps: number
  readonly memoryMb: number
  /** 0 if the process measures no latencies. */
  readonly p50Ms: number
  readonly p99Ms: number
}

const NS_PER_MS = 1e6

/** Counts the calls of one process and their latencies. */
export class Meter {
  /** All calls since the process began. */
  total = 0
  readonly #histogram = createHistogram()
  #calls = 0
  #cpu = process.cpuUsage()
  #wakeUps = wakeUpsSoFar()
  #since = performance.now()

  count(): void {
    this.total += 1
    this.#calls += 1
  }

  /** @param sinceMs when the call began, by `performance.now()` */
  record(sinceMs: number): void {
    this.count()
    this.#histogram.record(Math.max(1, Math.round((performance.now() - sinceMs) * NS_PER_MS)))
  }

  /** Returns what has happened since the last mark, and starts a new window. */
  mark(): Window {
    const [now, cpu, wakeUps] = [performance.now(), process.cpuUsage(), wakeUpsSoFar()]
    const timed = this.#histogram.count > 0
    const window = {
      elapsedMs: now - this.#since,
      calls: this.#calls,
      cpuMicros: cpu.user - this.#cpu.user + cpu.system - this.#cpu.system,
      wakeUps: wakeUps - this.#wakeUps,
      memoryMb: process.memoryUsage.rss() / 1024 / 1024,
      p50Ms: timed ? this.#histogram.percentile(50) / NS_PER_MS : 0,
      p99Ms: timed ? this.#histogram.percentile(99) / NS_PER_MS : 0,
    }
    this.#histogram.reset()
    this.#calls = 0
    this.#cpu = cpu
    this.#wakeUps = wakeUps
    this.#since = now
    return window
  }
}

/** A window with fewer calls is meaningless: on a busy machine it is repeated, up to twenty times. */
const FEWEST = 20
const ATTEMPTS = 20

/** Waits for a window of processes that work together. @param mark resolves to those of the one that calls and those that answer */
export async function nextWindows<Windows extends readonly [Window, Window, ...Window[]]>(
  mark: () => Promise<Windows>,
  measuredMs: number,
  signal: AbortSignal,
): Promise<Windows> {
  await mark()
  for (let attempt = 1; ; attempt++) {
    await sleep(measuredMs, undefined, { signal })
    const windows = await mark()
    if (windows[0].calls >= FEWEST || attempt === ATTEMPTS) return windows
  }
}

const wakeUpsSoFar = () => process.resourceUsage().voluntaryContextSwitches

/** The middle number, or the mean of the two middle ones. @throws RangeError for an empty list */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('an empty list has no median')
  return (lower + upper) / 2
}

/** The median of each member over all samples. */
export function medians<Sample extends Readonly<Record<keyof Sample, number>>>(samples: readonly Sample[]): Sample {
  const [first] = samples
  if (first === undefined) throw new RangeError('no samples')
  const keys = Object.keys(first) as (keyof Sample)[]
  return Object.fromEntries(keys.map(key => [key, median(samples.map(sample => sample[key]))])) as Sample
}
