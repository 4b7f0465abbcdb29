/**
 * What can be invalidated, as text: a key, a tag, or everything in a cache. A value bears the marks of its key and its tags,
 * so that one order of things (TagLog, and in Redis the hash of a generation) settles all of them.
 */
export type Mark = string

export const EVERYTHING: Mark = '*'
export const keyMark = (key: string): Mark => `k${key}`
export const tagMark = (tag: string): Mark => `t${tag}`

/** The key that a mark names; undefined for the others. */
export function keyOf(mark: Mark): string | undefined {
  return mark.startsWith('k') ? mark.slice(1) : undefined
}

export function isMark(value: unknown): value is Mark {
  return typeof value === 'string' && (value === EVERYTHING || /^[kt]/.test(value))
}

/** Marks by the name of their cache. */
export type MarksByCache = ReadonlyMap<string, readonly Mark[]>
