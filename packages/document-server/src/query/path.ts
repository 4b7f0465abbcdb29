import { type Doc, isDoc, own } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { step } from '../pace.ts'

/** A dotted path, split: `'a.b.0'` → `['a', 'b', '0']`. */
export type Path = readonly string[]

/** @throws CommandError for an empty path or segment */
export function parsePath(text: string): Path {
  const path = text.split('.')
  if (path.includes('')) throw new CommandError('BadValue', `the path '${text}' contains an empty field name`)
  if (path.includes('__proto__')) throw new CommandError('BadValue', `the path '${text}' is refused by this server`)
  return path
}

/** Array index meant by a path segment, or -1. */
export const arrayIndex = (segment: string): number => (/^(0|[1-9]\d{0,8})$/.test(segment) ? Number(segment) : -1)

/**
 * Whether any value that the path reaches passes the test, by MongoDB's rules: arrays on the way are entered, a
 * numeric segment also means an index, a missing field is tested as `undefined`; with `expand` the elements of an
 * array at the end are tested too, before the array itself.
 */
export function someValue(
  target: unknown,
  path: Path,
  expand: boolean,
  test: (value: unknown) => boolean,
  depth = 0,
): boolean {
  step()
  const segment = path[depth]
  if (segment === undefined) return (expand && Array.isArray(target) && target.some(test)) || test(target)
  if (isDoc(target)) {
    const next = own(target, segment)
    return next === undefined ? test(undefined) : someValue(next, path, expand, test, depth + 1)
  }
  if (!Array.isArray(target)) return test(undefined)
  if (target.some(element => isDoc(element) && someValue(element, path, expand, test, depth))) return true
  const index = arrayIndex(segment)
  if (index < 0 || index >= target.length) return false
  const element: unknown = target[index]
  if (depth + 1 === path.length) return test(element)
  return (isDoc(element) || Array.isArray(element)) && someValue(element, path, expand, test, depth + 1)
}

/** All values the path reaches, elements of arrays at the end included instead of the arrays (as `distinct` does). */
export function reachedValues(doc: Doc, path: Path): unknown[] {
  const values: unknown[] = []
  const collect = (value: unknown): boolean => {
    if (value !== undefined) values.push(value)
    return false
  }
  someValue(doc, path, false, collect)
  return values.flatMap(value => (Array.isArray(value) ? value : [value]))
}

/** The one value at a path that takes array indexes literally and enters no array otherwise. */
export function valueAt(target: unknown, path: Path): unknown {
  let value = target
  for (const segment of path) {
    if (isDoc(value)) value = own(value, segment)
    else if (Array.isArray(value)) value = arrayIndex(segment) < 0 ? undefined : value[arrayIndex(segment)]
    else return undefined
  }
  return value
}

/** The value an aggregation field path gives: arrays on the way are mapped, numeric segments are field names. */
export function fieldPathValue(target: unknown, path: Path, depth = 0): unknown {
  const segment = path[depth]
  if (segment === undefined) return target
  if (isDoc(target)) return fieldPathValue(own(target, segment), path, depth + 1)
  if (!Array.isArray(target)) return undefined
  return target.map(element => fieldPathValue(element, path, depth)).filter(value => value !== undefined)
}
