import { AssertionError } from 'node:assert/strict'

interface Circumstances {
  /** How many turns had been played, the last one included. */
  readonly turns: number
  /** What was done, a line each. */
  readonly trace: readonly string[]
  /** Nothing of the run is left that could disturb another. */
  readonly cleared: boolean
}

/** The platform did something else than the model, or nothing at all. */
export class MismatchError extends Error {
  readonly turns: number
  readonly trace: readonly string[]
  /** An answer was wrong, and other sequences can be tried: when nothing comes at all, trying again would take for ever. */
  readonly triable: boolean

  constructor(cause: unknown, { turns, trace, cleared }: Circumstances) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.turns = turns
    this.trace = trace
    this.triable = cleared && cause instanceof AssertionError
  }
}
