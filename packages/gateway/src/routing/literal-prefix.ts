/** Matches nothing but itself, outside and inside of a class of characters. */
const PLAIN = /^[A-Za-z0-9/_~!@#%&=:;,'"<>` -]$/
/** Behind a backslash it means itself. */
const PUNCTUATION = /^[^\w\s]$/

/**
 * What every path begins with that a regular expression (of `translateRegex`) matches: `/blog/id/` of `/blog/id/[^/]+$`. Rather too
 * short than too long: routes are looked up by it.
 */
export function literalPrefix(source: string): string {
  let literal = ''
  for (let i = 0; i < source.length; i++) {
    const escaped = source.charAt(i) === '\\'
    if (escaped) i += 1
    const char = source.charAt(i)
    // Beyond ASCII an expression sees characters where a path has bytes.
    if (char.charCodeAt(0) > 126 || !(escaped ? PUNCTUATION : PLAIN).test(char)) return literal
    // It may as well be missing.
    if (/^[*?{]/.test(source.slice(i + 1))) return literal
    literal += char
  }
  return literal
}
