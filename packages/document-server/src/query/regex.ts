import { BSONRegExp } from 'bson'
import { CommandError } from '../errors.ts'

/** A JavaScript expression for MongoDB's (PCRE) one. Options i, m, s and u are known; x is refused. */
export function toRegExp(pattern: string, options = ''): RegExp {
  let source = pattern
  let flags = [...new Set(options)].join('')
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
    throw new CommandError('BadValue', `Regular expression is invalid: ${pattern}`)
  }
}

/** The test a regular-expression value makes in a filter: matching strings, or the same expression stored. */
export function regexTest(value: BSONRegExp): (value: unknown) => boolean {
  const expression = toRegExp(value.pattern, value.options)
  return candidate =>
    typeof candidate === 'string'
      ? expression.test(candidate)
      : candidate instanceof BSONRegExp && candidate.pattern === value.pattern && candidate.options === value.options
}
