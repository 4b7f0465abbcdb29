import { type Doc, isDoc, own } from '../bson/document.ts'
import { typeName } from '../bson/types.ts'
import { fail } from '../errors.ts'
import { compileFilter, type Matcher } from '../query/match.ts'
import { arrayIndex, type Path, valueAt } from '../query/path.ts'

/** The most nulls that fill an array up to an index beyond its end, as in MongoDB. */
const longestPadding = 1_500_000

/** Sets a value and creates the documents on the way. @throws CommandError if a scalar is in the way */
export function setAt(root: Doc, path: Path, value: unknown): void {
  let target: unknown = root
  for (const [depth, segment] of path.entries()) {
    const last = depth === path.length - 1
    if (isDoc(target)) {
      if (last || own(target, segment) === undefined) target[segment] = last ? value : {}
      target = target[segment]
    } else if (Array.isArray(target) && arrayIndex(segment) >= 0) {
      const index = arrayIndex(segment)
      if (index - target.length > longestPadding) fail(`can't backfill more than ${longestPadding} elements`)
      while (target.length < index) target.push(null)
      if (last || index === target.length) target[index] = last ? value : {}
      target = target[index]
    } else notViable(path, depth, target)
  }
}

/** Removes a field. An array element becomes null, as in MongoDB. */
export function unsetAt(root: Doc, path: Path): void {
  const target = valueAt(root, path.slice(0, -1))
  const last = path.at(-1) ?? ''
  if (isDoc(target)) delete target[last]
  else if (Array.isArray(target) && arrayIndex(last) >= 0 && arrayIndex(last) < target.length)
    target[arrayIndex(last)] = null
}

/** @throws CommandError if the path cannot be created because a scalar is in the way */
export function assertViable(root: Doc, path: Path): void {
  let target: unknown = root
  for (const [depth, segment] of path.entries()) {
    if (isDoc(target)) target = own(target, segment)
    else if (Array.isArray(target) && arrayIndex(segment) >= 0) target = target[arrayIndex(segment)]
    else notViable(path, depth, target)
    if (target === undefined) return
  }
}

function notViable(path: Path, depth: number, target: unknown): never {
  const parent = `{${path[depth - 1] ?? ''}: <${typeName(target)}>}`
  return fail(
    `Cannot create field '${path[depth]}' in element ${parent} of the path '${path.join('.')}'`,
    'PathNotViable',
  )
}

/** What the positional segments `$`, `$[]` and `$[name]` of an update path refer to. */
export interface Positions {
  readonly filter: Doc
  readonly arrayFilters: ReadonlyMap<string, Matcher>
}

/** Compiles `arrayFilters`, one filter per identifier. */
export function compileArrayFilters(filters: readonly unknown[]): ReadonlyMap<string, Matcher> {
  const compiled = new Map<string, Matcher>()
  for (const filter of filters) {
    if (!isDoc(filter)) fail('each entry of arrayFilters must be a document')
    const names = new Set(identifiers(filter))
    const [name] = names
    if (name === undefined || names.size > 1)
      fail('Error parsing array filter: expected a single top-level field name', 'FailedToParse')
    if (compiled.has(name))
      fail(`Found multiple array filters with the same top-level field name ${name}`, 'FailedToParse')
    compiled.set(name, compileFilter(filter))
  }
  return compiled
}

function identifiers(filter: Doc): string[] {
  return Object.entries(filter).flatMap(([key, value]) => {
    if (!key.startsWith('$')) return [key.split('.')[0] ?? '']
    return Array.isArray(value) ? value.filter(isDoc).flatMap(identifiers) : []
  })
}

/** The concrete paths, with indexes instead of positional segments, that an update path means in this document. */
export function concretePaths(root: Doc, path: Path, positions: Positions): Path[] {
  const at = path.findIndex(segment => segment === '$' || /^\$\[.*\]$/.test(segment))
  if (at < 0) return [path]
  if (at === 0) fail(`Cannot have positional (i.e. '$') element in the first position in path '${path.join('.')}'`)
  const prefix = path.slice(0, at)
  const array = valueAt(root, prefix)
  return matchingIndexes(prefix, array, path[at] ?? '', positions).flatMap(index =>
    concretePaths(root, [...prefix, String(index), ...path.slice(at + 1)], positions),
  )
}

function matchingIndexes(prefix: Path, array: unknown, segment: string, positions: Positions): number[] {
  if (segment === '$') return [firstMatch(prefix, array, positions.filter)]
  if (!Array.isArray(array))
    fail(`The path '${prefix.join('.')}' must exist in the document in order to apply array updates.`)
  const name = segment.slice(2, -1)
  if (name === '') return [...array.keys()]
  const matches = positions.arrayFilters.get(name)
  if (!matches) fail(`No array filter found for identifier '${name}' in path '${[...prefix, segment].join('.')}'`)
  return [...array.keys()].filter(index => matches({ [name]: array[index] }))
}

/** `$`: the first element that would match the filter's conditions on this array if it were the only element. */
function firstMatch(prefix: Path, array: unknown, filter: Doc): number {
  const field = prefix.join('.')
  const conditions = conditionsOn(filter, field)
  if (Array.isArray(array) && conditions.length > 0) {
    const tests = conditions.map(condition => compileFilter(condition))
    const alone = (index: number): Doc => withOnly(prefix, array[index])
    const index = array.findIndex((_, index) => tests.every(test => test(alone(index))))
    if (index >= 0) return index
    const partly = array.findIndex((_, index) => tests.some(test => test(alone(index))))
    if (partly >= 0) return partly
  }
  fail('The positional operator did not find the match needed from the query.')
}

function conditionsOn(filter: Doc, field: string): Doc[] {
  return Object.entries(filter).flatMap(([key, value]) => {
    if (key === field || key.startsWith(`${field}.`)) return [{ [key]: value }]
    return key === '$and' && Array.isArray(value) ? value.filter(isDoc).flatMap(part => conditionsOn(part, field)) : []
  })
}

function withOnly(prefix: Path, element: unknown): Doc {
  return prefix.reduceRight<unknown>((inner, segment) => ({ [segment]: inner }), [element]) as Doc
}
