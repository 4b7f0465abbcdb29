import type { Log } from '../call/index.ts'
import type { Dependency } from './dependency.ts'
import { StartError } from './start-error.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2000

/**
 * Connects a dependency, trying again with growing pauses; says every few seconds what is being waited for.
 * @throws {StartError} when it is not there within `timeoutMs`
 */
export async function connectWithRetry(
  dependency: Dependency,
  timeoutMs: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const endsAt = performance.now() + timeoutMs
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    signal.throwIfAborted()
    try {
      await dependency.connect()
      log.info({ dependency: dependency.name }, `${dependency.name} is connected`)
      return
    } catch (err) {
      if (performance.now() + wait > endsAt) {
        const seconds = Math.round(timeoutMs / 1000)
        throw new StartError(`${dependency.name} did not become usable within ${seconds} s: ${rootMessage(err)}`, {
          cause: err,
        })
      }
      log.info({ dependency: dependency.name, reason: rootMessage(err) }, `waiting for ${dependency.name}`)
      await pause(wait, signal)
    }
  }
}

/** The innermost message: "the service cannot answer now" does not tell an operator anything. */
function rootMessage(error: unknown): string {
  const cause = (error as Error | undefined)?.cause
  return cause instanceof Error
    ? rootMessage(cause)
    : error instanceof Error
      ? error.message || error.name
      : String(error)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
