import { type Doc, isDoc, own } from '../bson/document.ts'

/**
 * A copy with one field set (`undefined` removes it), sharing what did not change: stored documents are not touched
 * while a pipeline runs. The elements of an array on the way each get the field; a scalar on the way is replaced.
 */
export function withField(target: Doc, path: readonly string[], value: unknown): Doc {
  return replaced(target, path, value) as Doc
}

function replaced(target: unknown, path: readonly string[], value: unknown): unknown {
  const [segment, ...rest] = path
  if (segment === undefined) return value
  if (Array.isArray(target)) return target.map(element => replaced(element, path, value))
  const result: Doc = isDoc(target) ? { ...target } : {}
  const next = replaced(own(result, segment), rest, value)
  if (next === undefined) delete result[segment]
  else result[segment] = next
  return result
}

/** The value at a path through documents only; arrays are not entered. */
export function fieldOf(target: unknown, path: readonly string[]): unknown {
  return path.reduce((value, segment) => (isDoc(value) ? own(value, segment) : undefined), target)
}
