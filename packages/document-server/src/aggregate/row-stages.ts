import { Long } from 'bson'
import { type Doc, isDoc, roughSize } from '../bson/document.ts'
import { isNumeric, toNumber, wholeNumber } from '../bson/numbers.ts'
import { type ErrorName, fail } from '../errors.ts'
import type { Variables } from '../expression/scope.ts'
import { collect, Memory } from '../memory.ts'
import type { Pace } from '../pace.ts'
import { compileFilter } from '../query/match.ts'
import { fieldOf, fieldPath, type Path, withField } from '../query/path.ts'
import { checkSort, type Scores, sorted } from '../query/sort.ts'

/** A stage turns a stream of documents into another, lazily. It never changes stored documents in place. */
export type Stage = (docs: AsyncIterable<Doc>) => AsyncIterable<Doc>

/** What a stage needs besides its documents. */
export interface PipelineContext {
  readonly variables: Variables
  readonly scores: Scores
  readonly pace: Pace
  /** The documents of another collection of the database that match a filter. */
  readonly read: (collection: string, filter: Doc) => AsyncIterable<Doc>
}

export interface StageContext extends PipelineContext {
  /** Compiles a pipeline nested in a stage. */
  readonly compile: (pipeline: readonly unknown[], context: PipelineContext) => Stage
}

export type CompileStage = (argument: unknown, context: StageContext) => Stage

function wholeArgument(name: string, argument: unknown, code: ErrorName): number {
  const value = isNumeric(argument) ? toNumber(argument) : Number.NaN
  return Number.isInteger(value) && value >= 0
    ? value
    : fail(`invalid argument to ${name} stage: Expected a non-negative integer`, code)
}

const match: CompileStage = (argument, { variables, pace }) => {
  if (!isDoc(argument)) return fail('the match filter must be an expression in an object', 'Location15959')
  if ('$text' in argument) return fail('$match with $text is only allowed as the first pipeline stage', 'Location17313')
  const matches = compileFilter(argument, variables)
  return async function* (docs) {
    for await (const doc of docs) {
      if (pace.needsPause()) await pace.pause()
      if (matches(doc)) yield doc
    }
  }
}

const sort: CompileStage = (argument, { scores, pace }) => {
  if (!isDoc(argument)) return fail('the $sort key specification must be an object', 'Location15973')
  if (Object.keys(argument).length === 0) return fail('$sort stage must have at least one sort key', 'Location15976')
  checkSort(argument)
  return docs => sorted(docs, argument, { pace, scores, doc: doc => doc, size: roughSize })
}

const skip: CompileStage = argument => {
  const count = wholeArgument('$skip', argument, 'Location5107200')
  return async function* (docs) {
    let passed = 0
    for await (const doc of docs) if (passed++ >= count) yield doc
  }
}

const limit: CompileStage = argument => {
  const count = wholeArgument('$limit', argument, 'Location5107201')
  if (count === 0) fail('the limit must be positive', 'Location15958')
  return async function* (docs) {
    let left = count
    for await (const doc of docs) {
      yield doc
      if (--left === 0) return
    }
  }
}

const count: CompileStage = argument => {
  if (typeof argument !== 'string') return fail('the count field must be a non-empty string', 'Location40156')
  if (argument === '') return fail('the count field must be a non-empty string', 'Location40157')
  if (argument.startsWith('$')) return fail('the count field cannot be a $-prefixed path', 'Location40158')
  if (argument.includes('\0')) return fail('the count field cannot contain a null byte', 'Location40159')
  if (argument.includes('.')) return fail("the count field cannot contain '.'", 'Location40160')
  return async function* (docs) {
    let seen = 0
    for await (const _ of docs) seen++
    if (seen > 0) yield { [argument]: wholeNumber(seen) }
  }
}

const sample: CompileStage = (argument, { pace }) => {
  if (!isDoc(argument)) return fail('the $sample stage specification must be an object', 'Location28745')
  const unknown = Object.keys(argument).find(key => key !== 'size')
  if (unknown !== undefined) return fail(`unrecognized option to $sample: ${unknown}`, 'Location28748')
  if (!('size' in argument)) return fail('$sample stage must specify a size', 'Location28749')
  if (!isNumeric(argument.size)) return fail('size argument to $sample must be a number', 'Location28746')
  const size = Math.trunc(toNumber(argument.size))
  if (!(size > 0)) return fail('size argument to $sample must be positive', 'Location28747')
  return async function* (docs) {
    const placed = (await collect(docs, new Memory('$sample'), pace)).map(doc => ({ doc, place: Math.random() }))
    for (const { doc } of placed.sort((a, b) => a.place - b.place).slice(0, size)) yield doc
  }
}

const unwind: CompileStage = (argument, { pace }) => {
  const options: Doc = isDoc(argument) ? argument : { path: argument }
  if (!isDoc(argument) && typeof argument !== 'string')
    return fail('expected either a string or an object as specification for $unwind stage', 'Location15981')
  const { path, indexPath } = unwindPaths(options)
  return async function* (docs) {
    for await (const doc of docs)
      for (const one of unwound(doc, path, indexPath, options.preserveNullAndEmptyArrays === true)) {
        if (pace.needsPause()) await pace.pause()
        yield one
      }
  }
}

function unwindPaths(options: Doc): { path: Path; indexPath: Path | undefined } {
  const known = ['path', 'includeArrayIndex', 'preserveNullAndEmptyArrays']
  const unknown = Object.keys(options).find(key => !known.includes(key))
  if (unknown !== undefined) fail(`unrecognized option to $unwind stage: ${unknown}`, 'Location28811')
  const { path, includeArrayIndex: index, preserveNullAndEmptyArrays: preserve } = options
  if (preserve !== undefined && typeof preserve !== 'boolean')
    fail('expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage', 'Location28809')
  if (index !== undefined && (typeof index !== 'string' || index === ''))
    return fail('expected a non-empty string for the includeArrayIndex option to $unwind stage', 'Location28810')
  if (path === undefined) fail('no path specified to $unwind stage', 'Location28812')
  if (typeof path !== 'string') return fail('expected a string as the path for $unwind stage', 'Location28808')
  if (!path.startsWith('$')) fail("path option to $unwind stage should be prefixed with a '$'", 'Location28818')
  if (index?.startsWith('$'))
    fail("includeArrayIndex option to $unwind stage should not be prefixed with a '$'", 'Location28822')
  return { path: fieldPath(path.slice(1)), indexPath: index === undefined ? undefined : fieldPath(index) }
}

function* unwound(doc: Doc, path: Path, indexPath: Path | undefined, preserve: boolean): Generator<Doc> {
  const value = fieldOf(doc, path)
  const numbered = (result: Doc, index: unknown): Doc => (indexPath ? withField(result, indexPath, index) : result)
  if (Array.isArray(value) && value.length > 0) {
    for (const [index, element] of value.entries())
      yield numbered(withField(doc, path, element), Long.fromNumber(index))
    return
  }
  const isEmpty = value === undefined || value === null || Array.isArray(value)
  if (!isEmpty || preserve) yield numbered(Array.isArray(value) ? withField(doc, path, undefined) : doc, null)
}

/** Stages that select, order or multiply documents. */
export const rowStages: Readonly<Record<string, CompileStage>> = {
  $match: match,
  $sort: sort,
  $skip: skip,
  $limit: limit,
  $count: count,
  $sample: sample,
  $unwind: unwind,
}
