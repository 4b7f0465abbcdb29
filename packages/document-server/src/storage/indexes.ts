import { EJSON, Int32 } from 'bson'
import { type Doc, isDoc, own } from '../bson/document.ts'
import { encodeKey } from '../bson/key.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { CommandError, fail } from '../errors.ts'
import { compileFilter, type Matcher } from '../query/match.ts'
import { arrayIndex, type Path, parsePath } from '../query/path.ts'
import { compileTextIndex, type TextIndex } from '../query/text.ts'

/** An index: its stored specification and what is compiled from it. */
export interface Index {
  readonly id: number
  readonly name: string
  /** As given to `createIndexes`, with the defaults filled in. `listIndexes` returns it. */
  readonly spec: Doc
  readonly key: Doc
  readonly fields: readonly { readonly name: string; readonly path: Path }[]
  readonly unique: boolean
  readonly sparse: boolean
  readonly partial: Matcher | undefined
  readonly text: TextIndex | undefined
  /** For a TTL index: the seconds after the date in its only field. */
  readonly expireAfterSeconds: number | undefined
}

export function toIndex(id: number, spec: Doc): Index {
  const key = isDoc(spec.key) ? spec.key : {}
  const isText = Object.values(key).includes('text')
  const expire = spec.expireAfterSeconds
  return {
    id,
    name: String(spec.name),
    spec,
    key,
    fields: isText ? [] : Object.keys(key).map(name => ({ name, path: parsePath(name) })),
    unique: spec.unique === true,
    sparse: spec.sparse === true,
    partial: isDoc(spec.partialFilterExpression) ? compileFilter(spec.partialFilterExpression) : undefined,
    text: isText ? compileTextIndex(spec) : undefined,
    expireAfterSeconds: isNumeric(expire) ? toNumber(expire) : undefined,
  }
}

/** The specification of the `_id` index, which every collection has. */
export const idIndexSpec = (): Doc => ({ v: new Int32(2), key: { _id: new Int32(1) }, name: '_id_' })

/** The distinct entries of a document in an index. */
export function indexEntries(index: Index, doc: Doc): Buffer[] {
  if (index.partial && !index.partial(doc)) return []
  const keys = index.text ? index.text.terms(doc).map(encodeKey) : fieldEntries(index, doc)
  return keys.length < 2 ? keys : [...new Map(keys.map(key => [key.toString('latin1'), key])).values()]
}

function fieldEntries(index: Index, doc: Doc): Buffer[] {
  const paths = index.fields.map(field => field.path)
  const tuples = keyTuples(doc, paths)
  if (index.sparse && tuples.every(tuple => tuple.every(value => value === undefined))) return []
  return tuples.map(tuple => Buffer.concat(tuple.map(encodeKey)))
}

/** How far the path of an indexed field has been followed: the value there, and the rest of the path. */
interface Walk {
  readonly value: unknown
  readonly rest: Path
}

/**
 * The keys of a document in an index over these paths. `undefined` stands for a missing field. An array yields one key per
 * element. Two fields below the same array go through it together, while two different arrays are refused.
 * @throws CommandError CannotIndexParallelArrays
 */
function keyTuples(doc: Doc, paths: readonly Path[]): unknown[][] {
  return expand(paths.map(path => ({ value: doc, rest: path })))
}

function expand(walks: readonly Walk[]): unknown[][] {
  const reached = walks.map(follow)
  const arrays = new Set(reached.map(walk => walk.value).filter(value => Array.isArray(value)))
  const [array] = arrays
  if (array === undefined) return [reached.map(walk => walk.value)]
  if (arrays.size > 1) fail('cannot index parallel arrays', 'CannotIndexParallelArrays')
  if (array.length === 0) return [reached.map(walk => (walk.value === array ? emptyArrayKey(walk) : walk.value))]
  return array.flatMap(element => expandInto(element, reached, array))
}

/** An empty array has its own key, which is not null, but a field below it counts as missing. */
const emptyArrayKey = (walk: Walk): unknown => (walk.rest.length === 0 ? [] : undefined)

function expandInto(element: unknown, reached: readonly Walk[], array: unknown): unknown[][] {
  const next = reached.map((walk): Walk => {
    if (walk.value !== array) return { value: walk.value, rest: [] }
    if (walk.rest.length === 0) return { value: Array.isArray(element) ? new NestedArray(element) : element, rest: [] }
    return isDoc(element) ? { value: element, rest: walk.rest } : { value: undefined, rest: [] }
  })
  return expand(next).map(tuple => tuple.map(value => (value instanceof NestedArray ? value.array : value)))
}

/** An array directly inside an array, which is one key as a whole. */
class NestedArray {
  readonly array: readonly unknown[]
  constructor(array: readonly unknown[]) {
    this.array = array
  }
}

/** Follows a path up to its end, a missing field, or an array. An index into an array is followed. */
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

/** Error 11000 with the fields of the driver's MongoServerError. `index` is undefined for the `_id` index. */
export function duplicateKey(namespace: string, index: Index | undefined, doc: Doc, key?: Buffer): CommandError {
  const keyPattern = index?.key ?? { _id: new Int32(1) }
  const keyValue = index && key ? keyValueOf(index, doc, key) : { _id: doc._id }
  const shown = Object.entries(keyValue)
    .map(([name, value]) => `${name}: ${EJSON.stringify(value ?? null)}`)
    .join(', ')
  return new CommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespace} index: ${index?.name ?? '_id_'} dup key: { ${shown} }`,
    { keyPattern, keyValue },
  )
}

function keyValueOf(index: Index, doc: Doc, key: Buffer): Doc {
  const tuples = keyTuples(
    doc,
    index.fields.map(field => field.path),
  )
  const tuple = tuples.find(values => Buffer.concat(values.map(encodeKey)).equals(key)) ?? []
  return Object.fromEntries(index.fields.map((field, position) => [field.name, tuple[position] ?? null]))
}
