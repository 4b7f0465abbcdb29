import { createContext, Script } from 'node:vm'
import { BSONRegExp } from 'bson'
import { CommandError, type ErrorName, fail } from '../errors.ts'
import { countSteps } from '../pace.ts'
import { costOf } from './cost.ts'

/** The longest pattern, as in MongoDB. */
const longestPattern = 32_764

/**
 * Turns a regular expression of MongoDB (PCRE) into one of JavaScript. The options i, m, s and u are supported, x is refused.
 * @throws CommandError 51108 for other options, and with `code` for an invalid expression
 */
export function toRegExp(pattern: string, options = '', code: ErrorName = 'Location51091'): RegExp {
  let source = pattern
  let flags = [...new Set(options)].join('')
  if (pattern.length > longestPattern) fail('Regular expression is invalid: the pattern is too long', code)
  const inline = /^\(\?([ims]+)\)/.exec(source)
  if (inline) {
    source = source.slice(inline[0].length)
    flags = [...new Set(flags + inline[1])].join('')
  }
  const unknown = /[^imsu]/.exec(flags)
  if (unknown) fail(`invalid or unsupported flag in regex options: ${unknown[0]}`, 'Location51108')
  if (isForeign(source))
    fail(
      `Regular expression is invalid: this server does not know all of '${pattern}', JavaScript has no such syntax`,
      code,
    )
  try {
    return new RegExp(source, flags.replace('u', ''))
  } catch {
    fail(`Regular expression is invalid: ${pattern}`, code)
  }
}

/** An escape, a class, the beginning of a group, a possessive quantifier or any other character: every pattern is a list of these. */
const token = /\\x\{|\\g\{?-?\d|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]?|\(\*[A-Z]|\(\?(?:[P>#|R&(]|[+-]?\d)|[*+?}]\+|./gs
/** The tokens that JavaScript would take for something else, such as `\A` for an A. */
const foreign = /^(?:\\(?:[ACEGHKNPQRXZhpz]|x\{|g\{?-?\d)|\(.+|[*+?}]\+)$/

function isForeign(source: string): boolean {
  return [...source.matchAll(token)].some(([text]) => {
    if (!text.startsWith('[')) return foreign.test(text)
    return /\[[:.=]/.test(text.slice(1)) || [...text.matchAll(/\\./gs)].some(([part]) => foreign.test(part))
  })
}

/** The test that a regular expression stands for in a filter: a matching string, or the same expression as a stored value. */
export function regexTest(value: BSONRegExp): (value: unknown) => boolean {
  const expression = bounded(toRegExp(value.pattern, value.options))
  return candidate => {
    countSteps()
    return typeof candidate === 'string'
      ? expression.exec(candidate) !== null
      : candidate instanceof BSONRegExp && candidate.pattern === value.pattern && candidate.options === value.options
  }
}

/** The number of steps, as a power of two, that take a few milliseconds at most. */
const cheap = 20
/** The longest time for one match, in milliseconds. MongoDB counts steps, and gives up after a similar time. */
const limitMs = 150
/** If the process used less CPU time than this (in milliseconds), it was not the match that took the time. */
const leastCpuMs = 50
/** How often a match is repeated that was interrupted because the machine was busy. */
const mostAttempts = 20

const context = createContext({ exec: undefined as (() => RegExpExecArray | null) | undefined })
const script = new Script('exec()')

/**
 * Limits the time of each match, even for expressions that explode.
 * @param regex an expression that nothing else uses, as it holds the position of the last match
 * @returns `exec` of the expression, which throws a CommandError if a match takes too long
 */
export function bounded(regex: RegExp): Pick<RegExp, 'exec'> {
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

/** Runs a match. Some expressions turn out to be too large only when they are used. */
function plain<T>(exec: () => T): T {
  try {
    return exec()
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof RangeError
      ? new CommandError('Location51091', 'Regular expression is invalid: it is too large')
      : error
  }
}

/** The error comes from the other context, so it is not an instance of this one's `Error`. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'

/** Runs work that may never end, and interrupts it after a while. @throws CommandError if it was interrupted */
function watched<T>(work: () => T): T {
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
      fail('Error occurred while executing the regular expression. Result code: match limit exceeded', 'Location51156')
  }
}
