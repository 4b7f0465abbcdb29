import { configError } from '../config/config-error.ts'

/**
 * Kong's router runs Rust regular expressions. This turns one into a JavaScript expression that means the same, by default
 * anchored at the start, and refuses what the two read differently: better no start than a route that matches something else.
 *
 * JavaScript backtracks where Rust does not, so an expression like `(a+)+$` can be slow here and is not in Kong. The
 * config's author writes both, and this gateway is for development and tests.
 */
export function translateRegex(source: string, place: string, where: 'start' | 'anywhere' = 'start'): RegExp {
  const fault = (text: string) => configError(place, `regular expression: ${text}`)
  let out = ''
  let depth = 0
  let inClass = false
  for (let i = 0; i < source.length; i++) {
    const char = source.charAt(i)
    const pair = source.slice(i, i + 2)
    if (char === '\\') {
      const escaped = source.charAt(i + 1)
      if (/[1-9kAzZG]/.test(escaped)) throw fault(`\\${escaped} is not supported`)
      // JavaScript's unicode mode refuses `\-` and the like, which are common in paths and mean the character itself.
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
      // A `]` right after the bracket is a member in Rust and ends the class in JavaScript.
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
      // Kong puts one ^ in front of the whole, which would leave every alternative but the first unanchored.
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
