import { median } from '../../common/median.ts'
import type { LoadName } from '../load/load.ts'
import type { SubjectName } from '../subjects.ts'

/** One measurement. Of `slow` only what the 64 clients got that ask as fast as they are answered. */
export interface Sample {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** User and system time of the proxy's process alone. */
  readonly cpuMicrosPerRequest: number
  /** Resident memory of the proxy's process. */
  readonly memoryMb: number
}

/** One line of the JSON report: medians over all measurements. */
export interface Result extends Sample {
  readonly subject: SubjectName
  readonly load: LoadName
  readonly connections: number
  /** Each of them. Those of the same place, of any subject under any load, were taken within the same minute. */
  readonly turns: readonly Sample[]
}

/**
 * How many times as much one has as the other: the median over turns of what each turn says. The machine's speed differs more from
 * minute to minute than the proxies do, and so cancels out. @throws RangeError when they were not measured equally often
 */
export function ratio(ours: Result, theirs: Result, figure: 'perSecond' | 'cpuMicrosPerRequest'): number {
  if (ours.turns.length !== theirs.turns.length) throw new RangeError('not measured equally often')
  return median(ours.turns.map((turn, i) => turn[figure] / (theirs.turns[i]?.[figure] ?? 0)))
}
