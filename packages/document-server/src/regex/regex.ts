import { BSONRegExp } from 'bson'
import { CommandError } from '../errors.ts'
import { step } from '../pace.ts'
import { type BoundedRegex, bounded } from './bounded.ts'

/** Longest pattern, as in MongoDB. */
const longestPattern = 32_764

/** A JavaScript expression for MongoDB's (PCRE) one. Options i, m, s and u are known; x is refused. */
export function toRegExp(pattern: string, options = ''): RegExp {
  let source = pattern
  let flags = [...new Set(options)].join('')
  if (pattern.length > longestPattern)
    throw new CommandError('Location51091', 'Regular expression is invalid: the pattern is too long')
  const inline = /^\(\?([ims]+)\)/.exec(source)
  if (inline) {
    source = source.slice(inline[0].length)
    flags = [...new Set(flags + inline[1])].join('')
  }
  const unknown = /[^imsu]/.exec(flags)
  if (unknown) throw new CommandError('BadValue', `the regular expression option '${unknown[0]}' is not supported`)
  try {
    return new RegExp(source, flags.replace('u', ''))
  } catch {
    throw new CommandError('Location51091', `Regular expression is invalid: ${pattern}`)
  }
}

/** The expression, made to end. */
const boundedRegex = (pattern: string, options = ''): BoundedRegex => bounded(toRegExp(pattern, options))

/** The test a regular-expression value makes in a filter: matching strings, or the same expression stored. */
export function regexTest(value: BSONRegExp): (value: unknown) => boolean {
  const expression = boundedRegex(value.pattern, value.options)
  return candidate => {
    step()
    return typeof candidate === 'string'
      ? expression.exec(candidate) !== null
      : candidate instanceof BSONRegExp && candidate.pattern === value.pattern && candidate.options === value.options
  }
}
