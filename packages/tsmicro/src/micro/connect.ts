import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../call/index.ts'
import { rootMessage, unusableIn, within } from '../errors/index.ts'
import type { Dependency } from './dependency.ts'
import { StartError } from './start-error.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2000
const NO_ANSWER = 'no answer'

/**
 * Connects a dependency, trying again with growing pauses; says each time what is being waited for.
 * @throws {StartError} when it is not there within `timeoutMs`, even if an attempt hangs, and at once when waiting does not help
 * (`UnusableError`); the signal's reason when it aborts
 */
export async function connectWithRetry(
  dependency: Dependency,
  timeoutMs: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const { name } = dependency
  const endsAt = performance.now() + timeoutMs
  let reason = NO_ANSWER
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      signal.throwIfAborted()
      await within(endsAt - performance.now(), dependency.connect(), () => new Error(NO_ANSWER), signal)
      log.info({ dependency: name }, `${name} is connected`)
      return
    } catch (err) {
      signal.throwIfAborted()
      const refused = unusableIn(err)
      if (refused) throw new StartError(`${name} cannot be used: ${refused.message}`, { cause: err })
      // What it said before tells more than that it does not answer.
      const told = rootMessage(err)
      if (told !== NO_ANSWER) reason = told
      if (performance.now() + wait > endsAt) {
        throw new StartError(`${name} did not become usable within ${timeoutMs / 1000} s: ${reason}`, { cause: err })
      }
      log.info({ dependency: name, reason }, `waiting for ${name}: ${reason}`)
      await sleep(wait, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}
