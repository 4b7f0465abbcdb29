/** Tokens of a subject or of a pattern: `*` stands for one token, a trailing `>` for one or more. */
export type Tokens = readonly string[]

/** Splits a subject or a pattern. */
export function tokensOf(subject: string): Tokens {
  return subject.split('.')
}

/** Whether a pattern takes every subject that the other, a subject or a narrower pattern, stands for. */
export function covers(pattern: Tokens, other: Tokens): boolean {
  for (const [index, token] of pattern.entries()) {
    const theirs = other[index]
    if (theirs === undefined) return false
    if (token === '>') return true
    if (token !== theirs && (token !== '*' || theirs === '>')) return false
  }
  return pattern.length === other.length
}
