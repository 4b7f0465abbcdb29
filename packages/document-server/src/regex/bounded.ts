import { createContext, Script } from 'node:vm'
import { CommandError } from '../errors.ts'
import { costOf } from './cost.ts'

/** Steps, as a power of two, that take a few milliseconds at most. */
const cheap = 20
/** Milliseconds that one match may take. MongoDB counts steps, and gives up after a similar time. */
const limitMs = 150
/** Milliseconds of computing without which it was not the match that took the time. */
const leastCpuMs = 50
/** How often a match is tried again that was cut short because the machine, and not the match, took the time. */
const mostAttempts = 20

const context = createContext({ exec: undefined as (() => RegExpExecArray | null) | undefined })
const script = new Script('exec()')

/** An expression whose matches are bounded in time, however it was made to explode. */
export interface BoundedRegex {
  /** Like `RegExp.exec`. @throws CommandError when it takes too long */
  exec(text: string): RegExpExecArray | null
}

/** @param regex an expression that nobody else uses, as it keeps where it was */
export function bounded(regex: RegExp): BoundedRegex {
  const cost = costOf(regex.source)
  return {
    exec(text) {
      if (cost(text.length) <= cheap) return plain(() => regex.exec(text))
      const { lastIndex } = regex
      return watched(() => {
        regex.lastIndex = lastIndex
        return plain(() => regex.exec(text))
      })
    },
  }
}

/** Some expressions are found to be too large only when they are used. */
function plain<T>(exec: () => T): T {
  try {
    return exec()
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof RangeError
      ? new CommandError('Location51091', `Regular expression is invalid: ${error.message}`)
      : error
  }
}

/** It is an error of the other context, and so no `Error` of this one. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'

/** Runs something that may not end, under a watch that ends it. @throws CommandError when it was ended */
export function watched<T>(work: () => T): T {
  const started = process.cpuUsage()
  for (let attempt = 1; ; attempt++) {
    let result: { value: T } | undefined
    context.exec = () => {
      result = { value: work() }
      return null
    }
    try {
      script.runInContext(context, { timeout: limitMs })
    } catch (error) {
      if (!isTimeout(error)) throw error
    }
    if (result) return result.value
    const { user, system } = process.cpuUsage(started)
    if (user + system >= leastCpuMs * 1000 || attempt === mostAttempts)
      throw new CommandError(
        'Location51156',
        'Error occurred while executing the regular expression. Result code: match limit exceeded',
      )
  }
}
