import { configError } from '../config/section.ts'
import { beyondLimits } from './regex-limits.ts'

/**
 * Turns a Rust regular expression, which Kong's router uses, into a JavaScript expression with the same meaning, by default anchored
 * at the start. Refuses syntax that the two interpret differently: failing to start is better than matching something else.
 *
 * JavaScript backtracks where Rust does not, so an expression like `(a+)+$` can be slow here although it is fast in Kong. That is
 * acceptable, because expressions come from the config's author, and this gateway is for development and tests.
 */
export function translateRegex(source: string, place: string, where: 'start' | 'anywhere' = 'start'): RegExp {
  const fault = (text: string) => configError(place, `regular expression: ${text}`)
  const beyond = beyondLimits(source)
  if (beyond !== undefined) throw fault(beyond)
  let out = ''
  let depth = 0
  let inClass = false
  for (let i = 0; i < source.length; i++) {
    const char = source.charAt(i)
    const pair = source.slice(i, i + 2)
    if (char === '\\') {
      const escaped = source.charAt(i + 1)
      if (/[1-9kAzZG]/.test(escaped)) throw fault(`\\${escaped} is not supported`)
      // JavaScript's unicode mode rejects escapes such as `\-`, which are common in paths and mean the character itself.
      out += /[A-Za-z0-9^$\\.*+?()[\]{}|/]/.test(escaped) ? char + escaped : hexEscape(escaped, fault)
      i += 1
    } else if (inClass) {
      if (char === '[' || pair === '&&' || pair === '--' || pair === '~~')
        throw fault('nested or combined character classes are not supported')
      inClass = char !== ']'
      out += char
    } else if (char === '[') {
      inClass = true
      const opening = /^\[\^?\]?/.exec(source.slice(i))?.[0] ?? char
      // A `]` right after the bracket is a member of the class in Rust, but ends it in JavaScript.
      out += opening.replace(']', '\\]')
      i += opening.length - 1
    } else if (pair === '(?') {
      if (/^\(\?(?:[=!]|<[=!])/.test(source.slice(i))) throw fault('look-around is not supported')
      const named = source.startsWith('(?P<', i)
      out += named ? '(?' : pair
      i += named ? 2 : 1
      depth += 1
    } else {
      if (char === '(') depth += 1
      if (char === ')') depth -= 1
      // Kong puts one ^ in front of the whole expression, which would anchor only the first alternative.
      if (char === '|' && depth === 0 && where === 'start') throw fault('put alternatives in a group: (?:/a|/b)')
      out += char
    }
  }
  try {
    return new RegExp(where === 'start' ? `^${out}` : out, 'u')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw fault(reason.slice(reason.lastIndexOf(': ') + 2))
  }
}

function hexEscape(char: string, fault: (text: string) => Error): string {
  const code = char.charCodeAt(0)
  if (!(code < 128)) throw fault('a backslash must be followed by an ASCII character')
  return `\\x${code.toString(16).padStart(2, '0')}`
}

/** A character that matches only itself, both outside and inside a character class. */
const PLAIN = /^[A-Za-z0-9/_~!@#%&=:;,'"<>` -]$/
/** A character that matches only itself after a backslash. */
const PUNCTUATION = /^[^\w\s]$/

/**
 * Returns a prefix of every path that a regular expression (of `translateRegex`) matches: `/blog/id/` for `/blog/id/[^/]+$`. In doubt
 * it is shorter than it could be, because routes are looked up by it.
 */
export function literalPrefix(source: string): string {
  let literal = ''
  for (let i = 0; i < source.length; i++) {
    const escaped = source.charAt(i) === '\\'
    if (escaped) i += 1
    const char = source.charAt(i)
    // Beyond ASCII, an expression matches characters, but a path consists of bytes.
    if (char.charCodeAt(0) > 126 || !(escaped ? PUNCTUATION : PLAIN).test(char)) return literal
    // The character is optional.
    if (/^[*?{]/.test(source.slice(i + 1))) return literal
    literal += char
  }
  return literal
}
