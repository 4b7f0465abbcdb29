import { createHistogram } from 'node:perf_hooks'

/** What one process did between two marks. */
export interface Window {
  readonly elapsedMs: number
  readonly calls: number
  /** User and system time of the whole process. */
  readonly cpuMicros: number
  /** How often the process had gone to sleep and was woken, e.g. because a message came. */
  readonly wakeUps: number
  readonly memoryMb: number
  /** 0 where the process takes no times. */
  readonly p50Ms: number
  readonly p99Ms: number
}

const NS_PER_MS = 1e6

/** Counts calls and their times in one process. */
export class Meter {
  /** All calls since the process began. */
  total = 0
  readonly #histogram = createHistogram()
  #calls = 0
  #cpu = process.cpuUsage()
  #wakeUps = wakeUpsUntilNow()
  #since = performance.now()

  count(): void {
    this.total += 1
    this.#calls += 1
  }

  /** @param sinceMs when it began, by `performance.now()` */
  record(sinceMs: number): void {
    this.count()
    this.#histogram.record(Math.max(1, Math.round((performance.now() - sinceMs) * NS_PER_MS)))
  }

  /** Returns what has happened since the last mark, and starts a new window. */
  mark(): Window {
    const now = performance.now()
    const cpu = process.cpuUsage()
    const wakeUps = wakeUpsUntilNow()
    const used = cpu.user - this.#cpu.user + cpu.system - this.#cpu.system
    const timed = this.#histogram.count > 0
    const window = {
      elapsedMs: now - this.#since,
      calls: this.#calls,
      cpuMicros: used,
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

const wakeUpsUntilNow = () => process.resourceUsage().voluntaryContextSwitches
