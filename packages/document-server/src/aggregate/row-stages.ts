import { type Doc, isDoc, roughSize } from '../bson/document.ts'
import { isNumeric, toNumber, wholeNumber } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import type { Variables } from '../expression/expression.ts'
import { collect, Memory } from '../memory.ts'
import type { Pace } from '../pace.ts'
import { compileFilter } from '../query/match.ts'
import { fieldOf, type Path, parsePath, withField } from '../query/path.ts'
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

function wholeArgument(name: string, argument: unknown, least: number): number {
  const value = isNumeric(argument) ? toNumber(argument) : Number.NaN
  return Number.isInteger(value) && value >= least
    ? value
    : fail(`the argument of ${name} must be a whole number of at least ${least}`)
}

const match: CompileStage = (argument, { variables, pace }) => {
  if (!isDoc(argument)) return fail('the match filter must be an expression in an object')
  if ('$text' in argument) return fail('$match with $text is only allowed as the first pipeline stage')
  const matches = compileFilter(argument, variables)
  return async function* (docs) {
    for await (const doc of docs) {
      if (pace.needsPause()) await pace.pause()
      if (matches(doc)) yield doc
    }
  }
}

const sort: CompileStage = (argument, { scores, pace }) => {
  if (!isDoc(argument) || Object.keys(argument).length === 0) return fail('$sort stage must have at least one sort key')
  checkSort(argument)
  return docs => sorted(docs, argument, { pace, scores, doc: doc => doc, size: roughSize })
}

const skip: CompileStage = argument => {
  const count = wholeArgument('$skip', argument, 0)
  return async function* (docs) {
    let passed = 0
    for await (const doc of docs) if (passed++ >= count) yield doc
  }
}

const limit: CompileStage = argument => {
  const count = wholeArgument('$limit', argument, 1)
  return async function* (docs) {
    let left = count
    for await (const doc of docs) {
      yield doc
      if (--left === 0) return
    }
  }
}

const count: CompileStage = argument => {
  if (typeof argument !== 'string' || argument === '' || argument.startsWith('$') || argument.includes('.'))
    return fail('the count field must be a non-empty string without $ and dots')
  return async function* (docs) {
    let seen = 0
    for await (const _ of docs) seen++
    if (seen > 0) yield { [argument]: wholeNumber(seen) }
  }
}

const sample: CompileStage = (argument, { pace }) => {
  const size = wholeArgument('$sample', isDoc(argument) ? argument.size : undefined, 1)
  return async function* (docs) {
    const placed = (await collect(docs, new Memory('$sample'), pace)).map(doc => ({ doc, place: Math.random() }))
    for (const { doc } of placed.sort((a, b) => a.place - b.place).slice(0, size)) yield doc
  }
}

const unwind: CompileStage = (argument, { pace }) => {
  const options: Doc = isDoc(argument) ? argument : { path: argument }
  const text = options.path
  if (typeof text !== 'string' || !text.startsWith('$'))
    return fail("path option to $unwind stage should be prefixed with a '$'")
  const unknown = Object.keys(options).find(
    key => !['path', 'includeArrayIndex', 'preserveNullAndEmptyArrays'].includes(key),
  )
  if (unknown !== undefined) return fail(`unrecognized option to $unwind stage: ${unknown}`)
  const path = parsePath(text.slice(1))
  const indexPath = typeof options.includeArrayIndex === 'string' ? parsePath(options.includeArrayIndex) : undefined
  return async function* (docs) {
    for await (const doc of docs)
      for (const one of unwound(doc, path, indexPath, options.preserveNullAndEmptyArrays === true)) {
        if (pace.needsPause()) await pace.pause()
        yield one
      }
  }
}

function* unwound(doc: Doc, path: Path, indexPath: Path | undefined, preserve: boolean): Generator<Doc> {
  const value = fieldOf(doc, path)
  const numbered = (result: Doc, index: unknown): Doc => (indexPath ? withField(result, indexPath, index) : result)
  if (Array.isArray(value) && value.length > 0) {
    for (const [index, element] of value.entries()) yield numbered(withField(doc, path, element), wholeNumber(index))
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
