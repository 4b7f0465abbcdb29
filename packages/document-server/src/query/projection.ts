import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { compileExpression } from '../expression/expression.ts'
import type { Variables } from '../expression/scope.ts'
import { compileCondition, compileFilter } from './match.ts'
import { fieldPath } from './path.ts'
import { isTextScore, type Scores } from './sort.ts'

/** Reduces a document to the requested fields. */
export type Projection = (doc: Doc) => Doc

export interface ProjectionOptions {
  /** Whether it is a projection of `find`, which has `$slice` and `$elemMatch`. In a pipeline they are expressions or unknown. */
  readonly find: boolean
  readonly scores?: Scores | undefined
  readonly variables: Variables
}

type Leaf =
  | { readonly kind: 'include' | 'exclude' }
  | { readonly kind: 'compute'; readonly expression: (doc: Doc) => unknown; readonly meta: boolean }
  | { readonly kind: 'shape'; readonly shape: Shaper; readonly slice: boolean }
type Tree = Map<string, Leaf | Tree>

/** Compiles a projection document. @throws CommandError if it mixes inclusion and exclusion */
export function compileProjection(spec: Doc, options: ProjectionOptions): Projection {
  const tree: Tree = new Map()
  const leaves: [string, Leaf][] = []
  addLeaves(spec, [], tree, leaves, options)
  const inclusive = isInclusive(leaves, options)
  if (inclusive && !tree.has('_id')) tree.set('_id', { kind: 'include' })
  return doc => {
    const projected = project(doc, tree, inclusive) as Doc
    return compute(projected, doc, tree) as Doc
  }
}

function addLeaves(
  spec: Doc,
  prefix: readonly string[],
  tree: Tree,
  leaves: [string, Leaf][],
  options: ProjectionOptions,
): void {
  for (const [key, value] of Object.entries(spec)) {
    const path = [...prefix, ...fieldPath(key)]
    const [first] = isDoc(value) ? Object.keys(value) : ['']
    if (first === undefined)
      fail(`An empty sub-projection is not a valid value. Found empty object at path ${key}`, 'Location51270')
    if (isDoc(value) && !first.startsWith('$')) {
      addLeaves(value, path, tree, leaves, options)
      continue
    }
    const leaf = toLeaf(value, options)
    leaves.push([path.join('.'), leaf])
    addLeaf(tree, path, leaf)
  }
}

function addLeaf(tree: Tree, path: readonly string[], leaf: Leaf): void {
  let node = tree
  for (const segment of path.slice(0, -1)) {
    const next: Leaf | Tree = node.get(segment) ?? new Map()
    if (!(next instanceof Map)) fail(`Path collision at ${path.join('.')}`, 'Location31249')
    node.set(segment, next)
    node = next
  }
  const last = path.at(-1) ?? ''
  if (node.has(last)) fail(`Path collision at ${path.join('.')}`, 'Location31249')
  node.set(last, leaf)
}

function toLeaf(value: unknown, options: ProjectionOptions): Leaf {
  if (typeof value === 'boolean') return { kind: value ? 'include' : 'exclude' }
  if (isNumeric(value)) return { kind: toNumber(value) === 0 ? 'exclude' : 'include' }
  if (options.find && isDoc(value)) {
    const [name = ''] = Object.keys(value)
    const shaper = Object.hasOwn(findProjections, name) ? findProjections[name]?.(value) : undefined
    if (shaper) return { kind: 'shape', shape: shaper, slice: name === '$slice' }
  }
  const meta = isTextScore(value)
  return { kind: 'compute', expression: compileExpression(value, options), meta }
}

function isInclusive(leaves: readonly [string, Leaf][], options: ProjectionOptions): boolean {
  const plain = leaves.filter(([path]) => path !== '_id')
  const included = plain.find(([, leaf]) => leaf.kind === 'include')
  const excluded = plain.find(([, leaf]) => leaf.kind === 'exclude')
  if (included && excluded) {
    const [first, later] = plain.indexOf(included) < plain.indexOf(excluded) ? ['in', 'ex'] : ['ex', 'in']
    const field = later === 'ex' ? excluded[0] : included[0]
    fail(
      `Cannot do ${later}clusion on field ${field} in ${first}clusion projection`,
      later === 'ex' ? 'Location31254' : 'Location31253',
    )
  }
  if (included) return true
  if (excluded) return false
  const narrowing = plain.some(
    ([, leaf]) => (leaf.kind === 'compute' && !(options.find && leaf.meta)) || (leaf.kind === 'shape' && !leaf.slice),
  )
  return narrowing || leaves.some(([path, leaf]) => path === '_id' && leaf.kind === 'include')
}

/** Keeps or drops the stored fields. Computed fields are left for the second pass. */
function project(value: unknown, tree: Tree, inclusive: boolean): unknown {
  if (Array.isArray(value)) {
    const elements = inclusive ? value.filter(element => isDoc(element) || Array.isArray(element)) : value
    return elements.map(element => project(element, tree, inclusive))
  }
  if (!isDoc(value)) return value
  const result: Doc = {}
  for (const [key, field] of Object.entries(value)) {
    const node = tree.get(key)
    if (node === undefined) {
      if (!inclusive) result[key] = field
    } else if (node instanceof Map) {
      if (!inclusive || isDoc(field) || Array.isArray(field)) result[key] = project(field, node, inclusive)
    } else if (node.kind === 'include') result[key] = field
    else if (node.kind === 'shape') {
      const shaped = node.shape(field)
      if (shaped !== undefined) result[key] = shaped
    }
  }
  return result
}

/** Adds the computed fields to the result of the first pass. */
function compute(target: unknown, root: Doc, tree: Tree): unknown {
  if (Array.isArray(target)) return target.map(element => compute(element, root, tree))
  for (const [key, node] of tree) {
    const isTree = node instanceof Map
    if (isTree ? !containsComputed(node) : node.kind !== 'compute') continue
    const doc: Doc = isDoc(target) ? target : {}
    target = doc
    const value = isTree ? compute(doc[key], root, node) : node.kind === 'compute' && node.expression(root)
    if (value !== undefined) doc[key] = value
  }
  return target
}

const containsComputed = (tree: Tree): boolean =>
  [...tree.values()].some(node => (node instanceof Map ? containsComputed(node) : node.kind === 'compute'))

/** Reduces the value of a field in a `find` projection. `undefined` drops the field. */
type Shaper = (value: unknown) => unknown

/** `{ $slice: n }` or `{ $slice: [skip, n] }`. Anything else is the expression. Values that are not arrays stay as they are. */
function compileSlice({ $slice: argument }: Doc): Shaper | undefined {
  const list = Array.isArray(argument) && argument.length === 2 ? argument : [argument]
  if (!list.every(isNumeric)) return undefined
  const [first = 0, count] = list.map(value => Math.trunc(toNumber(value)))
  if (count !== undefined && count <= 0) fail(`Third argument to $slice must be positive: ${count}`, 'Location28729')
  return value => {
    if (!Array.isArray(value)) return value
    if (count === undefined) return first < 0 ? value.slice(first) : value.slice(0, first)
    const start = first < 0 ? Math.max(0, value.length + first) : first
    return value.slice(start, start + count)
  }
}

/** `{ $elemMatch: … }`: an array with only the first element that matches. */
function compileElemMatch(argument: Doc): Shaper {
  const test = compileCondition(argument, filter => compileFilter(filter))
  return value => {
    if (!Array.isArray(value)) return undefined
    const found = value.find(element => test((_, check) => check([element])))
    return found === undefined ? undefined : [found]
  }
}

/** The operators that only a projection of `find` has. */
export const findProjections: Readonly<Record<string, (value: Doc) => Shaper | undefined>> = {
  $elemMatch: compileElemMatch,
  $slice: compileSlice,
}

/** @throws CommandError for the positional operator, which this server does not support */
export function assertNoPositional(projection: Doc): void {
  for (const key of Object.keys(projection))
    if (key.endsWith('.$'))
      fail(`the positional projection '${key}' is not supported; use $elemMatch`, 'CommandNotSupported')
}
