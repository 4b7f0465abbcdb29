import { type Doc, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { compileFilter, type Matcher } from '../query/match.ts'
import { type Path, valueAt } from '../query/path.ts'

/** What the positional segments `$`, `$[]` and `$[name]` of an update path need to know. */
export interface Positions {
  readonly filter: Doc
  readonly arrayFilters: ReadonlyMap<string, Matcher>
}

/** Compiles `arrayFilters`, one filter per identifier. */
export function compileArrayFilters(filters: readonly unknown[]): ReadonlyMap<string, Matcher> {
  const compiled = new Map<string, Matcher>()
  for (const filter of filters) {
    if (!isDoc(filter)) throw new CommandError('BadValue', 'each entry of arrayFilters must be a document')
    const names = new Set(identifiers(filter))
    const [name] = names
    if (name === undefined || names.size > 1)
      throw new CommandError('FailedToParse', 'Error parsing array filter: expected a single top-level field name')
    if (compiled.has(name))
      throw new CommandError('FailedToParse', `Found multiple array filters with the same top-level field name ${name}`)
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

/** The concrete paths (indexes instead of positional segments) that an update path means in this document. */
export function concretePaths(root: Doc, path: Path, positions: Positions): Path[] {
  const at = path.findIndex(segment => segment === '$' || /^\$\[.*\]$/.test(segment))
  if (at < 0) return [path]
  if (at === 0)
    throw new CommandError(
      'BadValue',
      `Cannot have positional (i.e. '$') element in the first position in path '${path.join('.')}'`,
    )
  const prefix = path.slice(0, at)
  const array = valueAt(root, prefix)
  return matchingIndexes(prefix, array, path[at] ?? '', positions).flatMap(index =>
    concretePaths(root, [...prefix, String(index), ...path.slice(at + 1)], positions),
  )
}

function matchingIndexes(prefix: Path, array: unknown, segment: string, positions: Positions): number[] {
  if (segment === '$') return [firstMatch(prefix, array, positions.filter)]
  if (!Array.isArray(array))
    throw new CommandError(
      'BadValue',
      `The path '${prefix.join('.')}' must exist in the document in order to apply array updates.`,
    )
  const name = segment.slice(2, -1)
  if (name === '') return [...array.keys()]
  const matches = positions.arrayFilters.get(name)
  if (!matches)
    throw new CommandError(
      'BadValue',
      `No array filter found for identifier '${name}' in path '${[...prefix, segment].join('.')}'`,
    )
  return [...array.keys()].filter(index => matches({ [name]: array[index] }))
}

/** `$`: the first element for which the filter's conditions on this array hold when it is the only element. */
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
  throw new CommandError('BadValue', 'The positional operator did not find the match needed from the query.')
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
