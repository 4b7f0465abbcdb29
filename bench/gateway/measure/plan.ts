import type { LoadName } from '../load/load.ts'
import type { SubjectName } from '../subjects.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly subjects: readonly SubjectName[]
  readonly loads: readonly LoadName[]
  /** Each with fresh processes: the same code differs by a tenth from one process to the next. */
  readonly rounds: number
  /** How often a round goes through all loads, and under each through all subjects: short turns meet the same machine. */
  readonly passes: number
  /** Once for each new process: lets the JIT compiler do its work, which takes some 20,000 requests where much is to be compiled. */
  readonly bringUpMs: number
  /** Before each measurement. */
  readonly warmUpMs: number
  /**
   * Besides that under `slow`: large answers first fill every buffer on the way, and the generator gets over opening a thousand
   * connections.
   */
  readonly settlingMs: number
  readonly measuredMs: number
}

type Times = Omit<Plan, 'subjects' | 'loads'>

export const FULL: Times = { rounds: 3, passes: 4, bringUpMs: 9000, warmUpMs: 150, settlingMs: 1500, measuredMs: 700 }
export const QUICK: Times = { rounds: 1, passes: 2, bringUpMs: 1500, warmUpMs: 100, settlingMs: 500, measuredMs: 300 }
