import { type Doc, isDoc, own } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { arrayIndex, type Path } from '../query/path.ts'

/** Where one field of a compound index has got to: a value that is still to be followed along the rest of the path. */
interface Walk {
  readonly value: unknown
  readonly rest: Path
}

/**
 * The keys of a document in an index over these paths; `undefined` stands for a missing field. An array gives one key
 * per element. Two fields below the same array go through it together; two different arrays are refused.
 * @throws CommandError CannotIndexParallelArrays
 */
export function keyTuples(doc: Doc, paths: readonly Path[]): unknown[][] {
  return expand(paths.map(path => ({ value: doc, rest: path })))
}

function expand(walks: readonly Walk[]): unknown[][] {
  const reached = walks.map(follow)
  const arrays = new Set(reached.map(walk => walk.value).filter(value => Array.isArray(value)))
  const [array] = arrays
  if (array === undefined) return [reached.map(walk => walk.value)]
  if (arrays.size > 1) throw new CommandError('CannotIndexParallelArrays', 'cannot index parallel arrays')
  if (array.length === 0) return [reached.map(walk => (walk.value === array ? emptyArrayKey(walk) : walk.value))]
  return array.flatMap(element => expandInto(element, reached, array))
}

/** An empty array has a key of its own (not null), but a field below it is just missing. */
const emptyArrayKey = (walk: Walk): unknown => (walk.rest.length === 0 ? [] : undefined)

function expandInto(element: unknown, reached: readonly Walk[], array: unknown): unknown[][] {
  const next = reached.map((walk): Walk => {
    if (walk.value !== array) return { value: walk.value, rest: [] }
    // Arrays directly inside arrays are keys as a whole.
    if (walk.rest.length === 0) return { value: Array.isArray(element) ? new Whole(element) : element, rest: [] }
    return isDoc(element) ? { value: element, rest: walk.rest } : { value: undefined, rest: [] }
  })
  return expand(next).map(tuple => tuple.map(value => (value instanceof Whole ? value.array : value)))
}

class Whole {
  readonly array: readonly unknown[]
  constructor(array: readonly unknown[]) {
    this.array = array
  }
}

/** Follows a path up to its end, a missing field, or an array (an index into an array is followed through it). */
function follow(walk: Walk): Walk {
  let { value } = walk
  for (const [depth, segment] of walk.rest.entries()) {
    if (Array.isArray(value)) {
      const index = arrayIndex(segment)
      if (index < 0) return { value, rest: walk.rest.slice(depth) }
      value = value[index]
    } else if (isDoc(value)) value = own(value, segment)
    else return { value: undefined, rest: [] }
  }
  return { value, rest: [] }
}
