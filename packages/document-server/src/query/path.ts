import { type Doc, isDoc, own } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { countSteps } from '../pace.ts'

/** The segments of a dotted path: `'a.b.0'` → `['a', 'b', '0']`. */
export type Path = readonly string[]

/** @throws CommandError for an empty path or segment */
export function parsePath(text: string): Path {
  const path = text.split('.')
  if (path.includes('')) fail(`the path '${text}' contains an empty field name`)
  if (text.includes('\0')) fail('field names may not contain null bytes', 'Location16411')
  if (path.includes('__proto__')) fail(`the path '${text}' is refused by this server`)
  return path
}

/** A path of an expression or of a stage, whose names are stricter. @throws CommandError for names that these may not have */
export function fieldPath(text: string): Path {
  if (text === '') fail('FieldPath cannot be constructed with empty string', 'Location40352')
  if (text.endsWith('.')) fail("FieldPath must not end with a '.'.", 'Location40353')
  const path = text.split('.')
  path.forEach(assertFieldName)
  return path
}

export function assertFieldName(name: string): void {
  if (name === '') fail('FieldPath field names may not be empty strings.', 'Location15998')
  if (name.startsWith('$') && !['$id', '$ref', '$db'].includes(name))
    fail(`FieldPath field names may not start with '$': ${name}`, 'Location16410')
  if (name.includes('\0')) fail('FieldPath field names may not contain null bytes.', 'Location16411')
  if (name.includes('.')) fail(`FieldPath field names may not contain '.': ${name}`, 'Location16412')
  if (name === '__proto__') fail(`the field name '${name}' is refused by this server`)
}

/** The array index that a path segment means, or -1. */
export const arrayIndex = (segment: string): number => (/^(0|[1-9]\d{0,8})$/.test(segment) ? Number(segment) : -1)

/**
 * Whether any value at the path passes the test, by MongoDB's rules: arrays on the way are entered, a numeric segment
 * also means an index, and a missing field is tested as `undefined`. With `expand`, the elements of an array at the end
 * are tested as well, before the array itself.
 */
export function someValue(
  target: unknown,
  path: Path,
  expand: boolean,
  test: (value: unknown) => boolean,
  depth = 0,
): boolean {
  countSteps()
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

/** All values at the path. Arrays at the end are replaced by their elements, as in `distinct`. */
export function reachedValues(doc: Doc, path: Path): unknown[] {
  const values: unknown[] = []
  const collect = (value: unknown): boolean => {
    if (value !== undefined) values.push(value)
    return false
  }
  someValue(doc, path, false, collect)
  return values.flatMap(value => (Array.isArray(value) ? value : [value]))
}

/** The single value at a path. Numeric segments are array indexes; arrays are not entered otherwise. */
export function valueAt(target: unknown, path: Path): unknown {
  let value = target
  for (const segment of path) {
    if (isDoc(value)) value = own(value, segment)
    else if (Array.isArray(value)) value = arrayIndex(segment) < 0 ? undefined : value[arrayIndex(segment)]
    else return undefined
  }
  return value
}

/** The value of an aggregation field path: of arrays on the way, the documents in them are mapped. Numeric segments are field names. */
export function fieldPathValue(target: unknown, path: Path, depth = 0): unknown {
  const segment = path[depth]
  if (segment === undefined) return target
  if (isDoc(target)) return fieldPathValue(own(target, segment), path, depth + 1)
  if (!Array.isArray(target)) return undefined
  return target
    .filter(isDoc)
    .map(element => fieldPathValue(element, path, depth))
    .filter(value => value !== undefined)
}

/**
 * A copy with one field set, or removed by `undefined`. It shares everything else with the original, which does not change
 * while a pipeline runs. In an array on the way, each element gets the field. A scalar on the way is replaced.
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

/** The value at a path that leads through documents only: arrays are not entered. */
export function fieldOf(target: unknown, path: readonly string[]): unknown {
  return path.reduce((value, segment) => (isDoc(value) ? own(value, segment) : undefined), target)
}
