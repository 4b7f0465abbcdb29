import type { Log } from '../call/index.ts'
import { rootMessage } from '../errors/index.ts'
import type { Preparation } from './module.ts'
import { StartError } from './start-error.ts'

/** Runs the steps between connecting and opening the doors, in order. @throws {StartError} naming the one that failed */
export async function prepare(steps: readonly Preparation[], log: Log, signal: AbortSignal): Promise<void> {
  for (const step of steps) {
    signal.throwIfAborted()
    try {
      await step.run()
    } catch (cause) {
      throw new StartError(`${step.name} failed: ${rootMessage(cause)}`, { cause })
    }
    log.info({ step: step.name }, `${step.name} done`)
  }
  signal.throwIfAborted()
}
