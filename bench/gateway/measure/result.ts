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
}
