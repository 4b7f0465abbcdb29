import { type Doc, isDoc, own } from '../bson/document.ts'
import { typeName } from '../bson/types.ts'
import { CommandError } from '../errors.ts'
import { arrayIndex, type Path } from '../query/path.ts'

/** Longest padding with nulls when an index beyond the end of an array is set, as in MongoDB. */
const longestPadding = 1_500_000

/** Sets a value, making the documents on the way. @throws CommandError when a scalar is in the way */
export function setAt(root: Doc, path: Path, value: unknown): void {
  let target: unknown = root
  for (const [depth, segment] of path.entries()) {
    const last = depth === path.length - 1
    if (isDoc(target)) {
      if (last || own(target, segment) === undefined) target[segment] = last ? value : {}
      target = target[segment]
    } else if (Array.isArray(target) && arrayIndex(segment) >= 0) {
      const index = arrayIndex(segment)
      pad(target, index)
      if (last || index === target.length) target[index] = last ? value : {}
      target = target[index]
    } else throw notViable(path, depth, target)
  }
}

function pad(array: unknown[], index: number): void {
  if (index - array.length > longestPadding)
    throw new CommandError('BadValue', `can't backfill more than ${longestPadding} elements`)
  while (array.length < index) array.push(null)
}

/** Removes a field; an array element becomes null, as in MongoDB. */
export function unsetAt(root: Doc, path: Path): void {
  let target: unknown = root
  for (const segment of path.slice(0, -1)) {
    if (isDoc(target)) target = own(target, segment)
    else if (Array.isArray(target) && arrayIndex(segment) >= 0) target = target[arrayIndex(segment)]
    else return
  }
  const last = path.at(-1) ?? ''
  if (isDoc(target)) delete target[last]
  else if (Array.isArray(target) && arrayIndex(last) >= 0 && arrayIndex(last) < target.length)
    target[arrayIndex(last)] = null
}

/** @throws CommandError when the path cannot be made because a scalar is in the way */
export function assertViable(root: Doc, path: Path): void {
  let target: unknown = root
  for (const [depth, segment] of path.entries()) {
    if (isDoc(target)) target = own(target, segment)
    else if (Array.isArray(target) && arrayIndex(segment) >= 0) target = target[arrayIndex(segment)]
    else throw notViable(path, depth, target)
    if (target === undefined) return
  }
}

function notViable(path: Path, depth: number, target: unknown): CommandError {
  const parent = path[depth - 1] ?? ''
  return new CommandError(
    'PathNotViable',
    `Cannot create field '${path[depth]}' in element {${parent}: <${typeName(target)}>} of the path '${path.join('.')}'`,
  )
}
