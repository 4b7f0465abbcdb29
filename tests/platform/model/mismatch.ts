import { AssertionError } from 'node:assert/strict'

interface Circumstances {
  /** How many commands had been run, including the last one. */
  readonly commands: number
  /** What was done, one line each. */
  readonly trace: readonly string[]
  /** Whether nothing of the run is left that could affect another one. */
  readonly cleared: boolean
}

/** The platform behaved differently from the model, or did not answer at all. */
export class MismatchError extends Error {
  readonly commands: number
  readonly trace: readonly string[]
  /** Whether an answer was wrong, so that other sequences can be tried: if no answer comes at all, trying again would take forever. */
  readonly triable: boolean

  constructor(cause: unknown, { commands, trace, cleared }: Circumstances) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.commands = commands
    this.trace = trace
    this.triable = cleared && cause instanceof AssertionError
  }
}
