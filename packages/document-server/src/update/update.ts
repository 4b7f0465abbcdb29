import { BSONRegExp } from 'bson'
import { compileDocumentStage } from '../aggregate/pipeline.ts'
import { equalValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import type { Variables } from '../expression/scope.ts'
import { isOperatorDoc } from '../query/match.ts'
import { type Path, parsePath, valueAt } from '../query/path.ts'
import { updateOperators } from './operators.ts'
import { assertViable, compileArrayFilters, concretePaths, type Positions, setAt, unsetAt } from './paths.ts'

/** Every update operator. Any other is refused with code 9. */
export const updateOperatorNames = [...Object.keys(updateOperators), '$rename']

/** Returns the new form of a document. It may change the given one and return it. */
export type Update = (doc: Doc, inserting: boolean) => Doc

export interface UpdateOptions {
  readonly filter: Doc
  readonly arrayFilters: readonly unknown[]
  readonly variables: Variables
}

interface Step {
  readonly path: Path
  readonly operator: string
  readonly argument: unknown
}

/** Compiles operators, a replacement document or a pipeline. @throws CommandError for unknown operators and conflicts */
export function compileUpdate(update: unknown, options: UpdateOptions): Update {
  if (Array.isArray(update)) {
    if (options.arrayFilters.length > 0)
      fail('arrayFilters may not be specified for pipeline-style updates', 'FailedToParse')
    return keepingId(compilePipelineUpdate(update, options.variables))
  }
  if (!isDoc(update)) fail('Update argument must be either an object or an array', 'FailedToParse')
  if (isReplacement(update)) return keepingId(replacement(update))
  const steps = parseSteps(update)
  const positions: Positions = { filter: options.filter, arrayFilters: compileArrayFilters(options.arrayFilters) }
  assertFiltersUsed(steps, positions)
  return (doc, inserting) => {
    for (const step of steps) if (inserting || step.operator !== '$setOnInsert') apply(doc, step, positions)
    return doc
  }
}

/** Whether an update is a whole new document: its first field is not an operator. */
export const isReplacement = (update: unknown): boolean =>
  isDoc(update) && Object.keys(update)[0]?.startsWith('$') !== true

function replacement(update: Doc): Update {
  const operator = Object.keys(update).find(key => key.startsWith('$'))
  if (operator !== undefined)
    fail(
      `The dollar ($) prefixed field '${operator}' in '${operator}' is not allowed in the context of an update's replacement document.`,
      'DollarPrefixedFieldName',
    )
  return () => ({ ...update })
}

/** Keeps the `_id` as the first field, and refuses a different one in the new form. */
const keepingId =
  (update: Update): Update =>
  (doc, inserting) => {
    const id = doc._id
    const { _id: given, ...rest } = update(doc, inserting)
    if (given !== undefined && id !== undefined && !equalValues(given, id)) immutable('_id')
    const kept = id ?? given
    return kept === undefined ? rest : { _id: kept, ...rest }
  }

function parseSteps(update: Doc): Step[] {
  const steps = Object.entries(update).flatMap(([operator, fields]) => {
    if (!updateOperatorNames.includes(operator))
      fail(
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
        'FailedToParse',
      )
    if (!isDoc(fields))
      fail(
        `Modifiers operate on fields but we found another type for ${operator} instead of a document`,
        'FailedToParse',
      )
    return Object.entries(fields).map(([key, argument]): Step => ({ path: updatePath(key), operator, argument }))
  })
  assertNoConflicts(
    steps.flatMap(step => (step.operator === '$rename' ? [step.path, renameTarget(step)] : [step.path])),
  )
  // MongoDB adds new fields in the order of their names, not in that of the update.
  return steps.sort((a, b) => comparePaths(a.path, b.path))
}

function comparePaths(a: Path, b: Path): number {
  for (let depth = 0; depth < a.length && depth < b.length; depth++) {
    const [x = '', y = ''] = [a[depth], b[depth]]
    if (x === y) continue
    const numeric = /^\d+$/.test(x) && /^\d+$/.test(y)
    return numeric ? Number(x) - Number(y) : x < y ? -1 : 1
  }
  return a.length - b.length
}

function assertNoConflicts(paths: readonly Path[]): void {
  const seen = new Set<string>()
  const parents = new Set<string>()
  for (const path of paths) {
    const text = path.join('.')
    const above = path.slice(0, -1).map((_, depth) => path.slice(0, depth + 1).join('.'))
    const conflict = seen.has(text) || parents.has(text) ? text : above.find(parent => seen.has(parent))
    if (conflict !== undefined)
      fail(`Updating the path '${text}' would create a conflict at '${conflict}'`, 'ConflictingUpdateOperators')
    seen.add(text)
    for (const parent of above) parents.add(parent)
  }
}

function assertFiltersUsed(steps: readonly Step[], positions: Positions): void {
  for (const name of positions.arrayFilters.keys())
    if (!steps.some(step => step.path.includes(`$[${name}]`)))
      fail(`The array filter for identifier '${name}' was not used in the update`, 'FailedToParse')
}

/** The path of a field to change. @throws CommandError for empty names, and those with a `$` that is not positional */
function updatePath(text: string): Path {
  const path = text.split('.')
  if (text === '') fail('An empty update path is not valid.', 'EmptyFieldName')
  if (path.includes('')) fail(`The update path '${text}' contains an empty field name.`, 'EmptyFieldName')
  const dollar = path.find(segment => /^\$(?!$|\[.*\]$|(?:id|ref|db)$)/.test(segment))
  if (dollar !== undefined)
    fail(`The dollar ($) prefixed field '${dollar}' in '${text}' is not valid for storage.`, 'DollarPrefixedFieldName')
  return parsePath(text)
}

function renameTarget(step: Step): Path {
  if (typeof step.argument !== 'string') fail(`The 'to' field for $rename must be a string: ${step.path.join('.')}`)
  const target = updatePath(step.argument)
  if (target.join('.') === step.path.join('.')) fail('The source and target field for $rename must differ')
  if ([...target, ...step.path].some(segment => segment.startsWith('$')))
    fail(`The fields of $rename may not be dynamic: ${step.path.join('.')}`)
  return target
}

function apply(doc: Doc, step: Step, positions: Positions): void {
  if (step.operator === '$rename') {
    rename(doc, step)
    return
  }
  const operator = updateOperators[step.operator]
  for (const path of concretePaths(doc, step.path, positions)) {
    const current = valueAt(doc, path)
    if (current === undefined && step.operator !== '$unset') assertViable(doc, path)
    const change = operator?.(current, step.argument, path.join('.')) ?? 'keep'
    if (change === 'keep') continue
    if (path[0] === '_id') assertSameId(doc, path, change === 'unset' ? undefined : change.set)
    if (change === 'unset') unsetAt(doc, path)
    else setAt(doc, path, change.set)
  }
}

function rename(doc: Doc, step: Step): void {
  const target = renameTarget(step)
  for (const path of [step.path, target])
    if (path.some((_, depth) => Array.isArray(valueAt(doc, path.slice(0, depth)))))
      fail(`The fields of $rename cannot be array elements: ${path.join('.')}`)
  const value = valueAt(doc, step.path)
  if (value === undefined) return
  if (step.path[0] === '_id' || target[0] === '_id') immutable('_id')
  assertViable(doc, target)
  unsetAt(doc, step.path)
  setAt(doc, target, value)
}

function assertSameId(doc: Doc, path: Path, value: unknown): void {
  const current = valueAt(doc, path)
  if (doc._id === undefined && value !== undefined) return // an upsert may set it
  if (value === undefined ? current !== undefined : current === undefined || !equalValues(current, value))
    immutable(path.join('.'))
}

const immutable = (path: string): never =>
  fail(`Performing an update on the path '${path}' would modify the immutable field '_id'`, 'ImmutableField')

/** An update given as an aggregation pipeline: `$set`, `$unset`, `$project`, `$replaceWith` and their aliases. */
function compilePipelineUpdate(pipeline: readonly unknown[], variables: Variables): (doc: Doc) => Doc {
  const stages = pipeline.map(stage => {
    if (!isDoc(stage)) fail('Each element of the pipeline array must be an object', 'TypeMismatch')
    const [name = ''] = Object.keys(stage)
    const compiled = compileDocumentStage(name, stage[name], { variables })
    if (!compiled) fail(`${name} is not allowed to be used within an update`, 'InvalidOptions')
    return compiled
  })
  return doc => stages.reduce((current, stage) => stage(current), doc)
}

/** The document that an upsert starts from: the equalities of its filter. `onlyId`: for a replacement. */
export function upsertSeed(filter: Doc, onlyId: boolean): Doc {
  const seed: Doc = {}
  for (const [key, value] of equalities(filter)) {
    if (onlyId && key !== '_id') continue
    const path = parsePath(key)
    if (valueAt(seed, path) === undefined) setAt(seed, path, value)
  }
  return seed
}

function equalities(filter: Doc): [string, unknown][] {
  return Object.entries(filter).flatMap(([key, value]): [string, unknown][] => {
    if (key === '$and' && Array.isArray(value)) return value.filter(isDoc).flatMap(equalities)
    if (key === '$or' && Array.isArray(value) && value.length === 1) return value.filter(isDoc).flatMap(equalities)
    if (key.startsWith('$') || value instanceof BSONRegExp) return []
    if (!isOperatorDoc(value)) return [[key, value]]
    if ('$eq' in value) return [[key, value.$eq]]
    for (const name of ['$in', '$all']) {
      const list = value[name]
      if (Array.isArray(list) && list.length === 1 && !(list[0] instanceof BSONRegExp) && !isOperatorDoc(list[0]))
        return [[key, list[0]]]
    }
    return []
  })
}
