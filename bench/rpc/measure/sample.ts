import { medians } from '../../common/median.ts'
import type { Window } from '../../common/meter.ts'

/** One measurement of one subject under one load. */
export interface Sample {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicrosPerCall: number
  readonly wakeUpsPerCall: number
  readonly memoryMb: number
}

/**
 * Puts together what the processes counted. Their windows differ by a message's way, so CPU and wake-ups are taken as a
 * share of each process's own window.
 *
 * @param asking where the times were taken
 * @param working whose CPU, wake-ups and memory count
 */
export function sampleOf(asking: Window, working: readonly Window[]): Sample {
  const callsPerMs = asking.calls / asking.elapsedMs
  const perMs = (figure: 'cpuMicros' | 'wakeUps') => sum(working.map(each => each[figure] / each.elapsedMs))
  return {
    perSecond: callsPerMs * 1000,
    p50Ms: asking.p50Ms,
    p99Ms: asking.p99Ms,
    cpuMicrosPerCall: perMs('cpuMicros') / callsPerMs,
    wakeUpsPerCall: perMs('wakeUps') / callsPerMs,
    memoryMb: sum(working.map(({ memoryMb }) => memoryMb)),
  }
}

export function medianSample(samples: readonly Sample[]): Sample {
  return medians(samples, ['perSecond', 'p50Ms', 'p99Ms', 'cpuMicrosPerCall', 'wakeUpsPerCall', 'memoryMb'])
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
