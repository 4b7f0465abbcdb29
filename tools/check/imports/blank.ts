/**
 * The code with its comments, template literals and regular expressions made blank, and everything else at its place. What
 * remains can be searched for import statements without finding those that a comment or a test's fixture only quotes.
 */
export function blank(code: string): string {
  let out = ''
  let at = 0
  while (at < code.length) {
    const end = endOfToken(code, at, out)
    const token = code.slice(at, end)
    const kept = end === at + 1 || token[0] === "'" || token[0] === '"'
    out += kept ? token : token.replaceAll(/[^\n]/g, ' ')
    at = end
  }
  return out
}

const PATTERNS = {
  lineComment: /\/\/[^\n]*/y,
  blockComment: /\/\*[\s\S]*?(\*\/|$)/y,
  quoted: /'(\\.|[^'\\\n])*'?|"(\\.|[^"\\\n])*"?/y,
  regex: /\/(\\.|\[(\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y,
}

/** Where the comment, string, template or regular expression that begins at `at` ends; one character on where none does. */
function endOfToken(code: string, at: number, before: string): number {
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.test(code) ? pattern.lastIndex : undefined
  }
  const character = code[at]
  if (character === '/') {
    const comment = match(PATTERNS.lineComment) ?? match(PATTERNS.blockComment)
    if (comment !== undefined) return comment
    // After a value a slash divides; after anything else it begins a regular expression.
    const divides =
      /[\w$)\]}'"]\s*$/.test(before.slice(-40)) && !/\b(return|typeof|case|in|of)\s*$/.test(before.slice(-40))
    return divides ? at + 1 : (match(PATTERNS.regex) ?? at + 1)
  }
  if (character === "'" || character === '"') return match(PATTERNS.quoted) ?? at + 1
  return character === '`' ? endOfTemplate(code, at) : at + 1
}

function endOfTemplate(code: string, start: number): number {
  let at = start + 1
  while (at < code.length && code[at] !== '`') {
    if (code[at] === '\\') at += 2
    else if (code.startsWith('${', at)) at = endOfSubstitution(code, at + 2)
    else at++
  }
  return at + 1
}

function endOfSubstitution(code: string, start: number): number {
  let depth = 1
  let at = start
  while (at < code.length && depth > 0) {
    const end = endOfToken(code, at, code.slice(Math.max(0, at - 40), at))
    if (end === at + 1) depth += code[at] === '{' ? 1 : code[at] === '}' ? -1 : 0
    at = end
  }
  return at
}
