import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber, wholeNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import { compileFilter } from '../query/match.ts'
import { type Path, parsePath } from '../query/path.ts'
import { sortDocs } from '../query/sort.ts'
import type { CompileStage } from './stage.ts'
import { fieldOf, withField } from './with-field.ts'

const fail = (message: string): never => {
  throw new CommandError('BadValue', message)
}

function wholeArgument(name: string, argument: unknown, least: number): number {
  const value = isNumeric(argument) ? toNumber(argument) : Number.NaN
  return Number.isInteger(value) && value >= least
    ? value
    : fail(`the argument of ${name} must be a whole number of at least ${least}`)
}

const match: CompileStage = (argument, { variables, tick }) => {
  if (!isDoc(argument)) return fail('the match filter must be an expression in an object')
  if ('$text' in argument) return fail('$match with $text is only allowed as the first pipeline stage')
  const matches = compileFilter(argument, variables)
  return docs =>
    docs.filter(doc => {
      tick()
      return matches(doc)
    })
}

const sort: CompileStage = (argument, { scores }) => {
  if (!isDoc(argument) || Object.keys(argument).length === 0) return fail('$sort stage must have at least one sort key')
  sortDocs([], (doc: Doc) => doc, argument, scores)
  return docs => [...sortDocs(docs, doc => doc, argument, scores)]
}

const skip: CompileStage = argument => {
  const count = wholeArgument('$skip', argument, 0)
  return docs => docs.slice(count)
}

const limit: CompileStage = argument => {
  const count = wholeArgument('$limit', argument, 1)
  return docs => docs.slice(0, count)
}

const count: CompileStage = argument => {
  if (typeof argument !== 'string' || argument === '' || argument.startsWith('$') || argument.includes('.'))
    return fail('the count field must be a non-empty string without $ and dots')
  return docs => (docs.length === 0 ? [] : [{ [argument]: wholeNumber(docs.length) }])
}

const sample: CompileStage = argument => {
  const size = wholeArgument('$sample', isDoc(argument) ? argument.size : undefined, 1)
  return docs =>
    docs
      .map(doc => ({ doc, place: Math.random() }))
      .sort((a, b) => a.place - b.place)
      .slice(0, size)
      .map(({ doc }) => doc)
}

const unwind: CompileStage = argument => {
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
  return docs => docs.flatMap(doc => unwindOne(doc, path, indexPath, options.preserveNullAndEmptyArrays === true))
}

function unwindOne(doc: Doc, path: Path, indexPath: Path | undefined, preserve: boolean): Doc[] {
  const value = fieldOf(doc, path)
  const numbered = (result: Doc, index: unknown): Doc => (indexPath ? withField(result, indexPath, index) : result)
  if (Array.isArray(value) && value.length > 0)
    return value.map((element, index) => numbered(withField(doc, path, element), wholeNumber(index)))
  const isEmpty = value === undefined || value === null || Array.isArray(value)
  if (isEmpty && !preserve) return []
  return [numbered(Array.isArray(value) ? withField(doc, path, undefined) : doc, null)]
}

/** Stages that pick, order or multiply documents. */
export const rowStages: Readonly<Record<string, CompileStage>> = {
  $match: match,
  $sort: sort,
  $skip: skip,
  $limit: limit,
  $count: count,
  $sample: sample,
  $unwind: unwind,
}
