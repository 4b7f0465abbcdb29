import type { LoadName } from '../load/load.ts'
import type { SubjectName } from '../subjects.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly subjects: readonly SubjectName[]
  readonly loads: readonly LoadName[]
  /** Each with fresh processes. */
  readonly rounds: number
  /** How often a round takes its turn through all subjects under one load: short turns meet the same machine. */
  readonly passes: number
  /** Once for each new process: lets the JIT compiler do its work. */
  readonly bringUpMs: number
  /** Before each measurement. */
  readonly warmUpMs: number
  readonly measuredMs: number
}

type Times = Omit<Plan, 'subjects' | 'loads'>

export const FULL: Times = { rounds: 3, passes: 4, bringUpMs: 2000, warmUpMs: 200, measuredMs: 800 }
export const QUICK: Times = { rounds: 1, passes: 2, bringUpMs: 700, warmUpMs: 100, measuredMs: 350 }
