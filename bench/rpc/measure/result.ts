import type { SubjectName } from '../subjects.ts'

/** One line of the JSON report: medians over the rounds. */
export interface Result {
  readonly subject: SubjectName
  readonly load: 'closed' | 'http'
  /** 0 for `http`, where it is whatever the offered rate makes it. */
  readonly inFlight: number
  /** `http` only. */
  readonly offeredPerSecond?: number
  readonly perSecond: number
  /** Of one call; for `http` of the whole HTTP request, from when it was due. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of client and server process together; for `http` without what the HTTP server costs by itself. */
  readonly cpuMicrosPerCall: number
  /** How often client and server process together were woken per call; for `http` with what HTTP itself brings about. */
  readonly wakeUpsPerCall: number
  /** Resident memory of client and server process together. */
  readonly memoryMb: number
}

/** What a run found. */
export interface Findings {
  readonly results: readonly Result[]
  /** CPU of an HTTP request without a call, in microseconds; already taken off the results of `http`. */
  readonly baselineCpuMicros: number
}
