import { isAlphanumeric } from '../shared/word.ts'

/**
 * Whether a path may be requested without a key: `/health` frees exactly that, `/public/*` all below `/public/`, `/public*` also
 * `/publicity`. The path is the client's own, as sent, without the query.
 *
 * Only a path that everybody reads in the same way counts: one with an escape, an empty or a dot segment, or a character like
 * `;` or `\` needs a key, because a service may find another path in it than the gateway does.
 */
export function isAnonymous(path: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0 || !isPlain(path)) return false
  for (const pattern of patterns) if (matches(path, pattern)) return true
  return false
}

/** Whether an entry of `anonymous_paths` is one: a plain path, with or without a `*` at its end. */
export function isPathPattern(pattern: string): boolean {
  return isPlain(pattern.endsWith('*') ? pattern.substring(0, pattern.length - 1) : pattern)
}

function matches(path: string, pattern: string): boolean {
  if (!pattern.endsWith('*')) return path === pattern
  return path.startsWith(pattern.substring(0, pattern.length - 1))
}

/** Starts with a slash, and holds letters, digits and `- . _ ~` in segments that are none of ``, `.` and `..`. */
function isPlain(path: string): boolean {
  if (!path.startsWith('/')) return false
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    const mark = code === 45 || code === 46 || code === 47 || code === 95 || code === 126
    if (!mark && !isAlphanumeric(code)) return false
  }
  const ended = `${path}/`
  return !path.includes('//') && !ended.includes('/./') && !ended.includes('/../')
}
