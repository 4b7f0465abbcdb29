import fc from 'fast-check'
import type { Action } from '../world.ts'
import { accounts } from './accounts.ts'
import { authoring } from './authoring.ts'
import { editing } from './editing.ts'
import { malformed } from './malformed.ts'
import { reading } from './reading.ts'

export interface Command {
  readonly action: Action
  /** Which of a service's addresses gets the request, modulo their number. */
  readonly door: number
}

const command: fc.Arbitrary<Command> = fc.record({
  action: fc.oneof(
    { weight: 12, arbitrary: authoring },
    { weight: 7, arbitrary: editing },
    { weight: 14, arbitrary: reading },
    { weight: 3, arbitrary: accounts },
    { weight: 2, arbitrary: malformed },
  ),
  door: fc.noBias(fc.nat({ max: 999 })),
})

/** A number of commands, the same ones for the same seed. */
export function commands(count: number, seed: number): readonly Command[] {
  return fc.sample(command, { numRuns: count, seed })
}
