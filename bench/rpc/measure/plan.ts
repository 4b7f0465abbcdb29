import type { SubjectName } from '../subjects.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly subjects: readonly SubjectName[]
  readonly rounds: number
  /** Calls in flight of the closed loads. */
  readonly inFlight: readonly number[]
  /** Once for each new pair of processes, with 64 calls in flight: lets the JIT compiler do its work. */
  readonly bringUpMs: number
  /** Before each measurement: a process that rested while the others had their turn begins with cold caches and pages. */
  readonly warmUpMs: number
  readonly closedMs: number
  readonly httpMs: number
  /** Offered HTTP requests per second; undefined: a share of what `bare` can do on this machine. */
  readonly httpPerSecond: number | undefined
}

type Times = Pick<Plan, 'rounds' | 'bringUpMs' | 'warmUpMs' | 'closedMs' | 'httpMs'>

export const FULL: Times = { rounds: 5, bringUpMs: 1500, warmUpMs: 1000, closedMs: 2000, httpMs: 2500 }
export const QUICK: Times = { rounds: 2, bringUpMs: 400, warmUpMs: 150, closedMs: 500, httpMs: 800 }

/** Of the closed loads that the acceptance ratios speak of: one call, a usual number, and many. */
export const IN_FLIGHT = [1, 64, 512] as const
