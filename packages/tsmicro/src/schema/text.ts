/**
 * True when every string in a parsed JSON value can be stored and compared anywhere: no NUL (PostgreSQL refuses it) and
 * no lone surrogate (it has no UTF-8 form, so it would change on its way). Iterative: hostile nesting costs no stack.
 */
export function isCleanText(value: unknown): boolean {
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next === 'string') {
      if (next.includes('\0') || !next.isWellFormed()) return false
    } else if (typeof next === 'object' && next !== null) {
      for (const [key, member] of Object.entries(next)) pending.push(key, member)
    }
  }
  return true
}
