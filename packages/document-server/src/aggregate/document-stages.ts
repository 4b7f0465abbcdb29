import { type Doc, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { compileExpression, type Expression, type Variables } from '../expression/expression.ts'
import { parsePath } from '../query/path.ts'
import { compileProjection } from '../query/projection.ts'
import type { Scores } from '../query/sort.ts'
import { withField } from './with-field.ts'

export interface DocumentStageOptions {
  readonly variables: Variables
  readonly scores?: Scores
}

/** A stage that turns one document into one document. */
export type DocumentStage = (doc: Doc) => Doc
type Compile = (argument: unknown, options: DocumentStageOptions) => DocumentStage

const project: Compile = (argument, { variables, scores }) => {
  if (!isDoc(argument) || Object.keys(argument).length === 0)
    throw new CommandError('BadValue', '$project specification must be a non-empty object')
  return compileProjection(argument, { find: false, variables, scores })
}

const unset: Compile = argument => {
  const names = Array.isArray(argument) ? argument : [argument]
  if (!names.every(name => typeof name === 'string'))
    throw new CommandError('BadValue', '$unset specification must be a string or an array of strings')
  return compileProjection(Object.fromEntries(names.map(name => [name, false])), { find: false })
}

const addFields: Compile = (argument, { variables, scores }) => {
  if (!isDoc(argument)) throw new CommandError('BadValue', '$addFields specification must be an object')
  const fields = flatFields(argument, [], scores)
  return doc => {
    let result = doc
    for (const { path, expression } of fields) result = withField(result, path, expression(doc, variables))
    return result
  }
}

interface Field {
  readonly path: readonly string[]
  readonly expression: Expression
}

/** `{ a: { b: '$x' } }` adds to a stored `a`, like `'a.b'`; an operator or an empty document is a value. */
function flatFields(argument: Doc, prefix: readonly string[], scores: Scores | undefined): Field[] {
  return Object.entries(argument).flatMap(([key, value]) => {
    const path = [...prefix, ...parsePath(key)]
    const [first] = isDoc(value) ? Object.keys(value) : []
    if (isDoc(value) && first !== undefined && !first.startsWith('$')) return flatFields(value, path, scores)
    return [{ path, expression: compileExpression(value, scores) }]
  })
}

const replaceWith: Compile = (argument, { variables, scores }) => {
  const expression = compileExpression(argument, scores)
  return doc => {
    const result = expression(doc, variables)
    if (isDoc(result)) return result
    throw new CommandError('Location40228', "'replacement document' must evaluate to an object")
  }
}

const replaceRoot: Compile = (argument, options) => {
  if (!isDoc(argument) || !('newRoot' in argument)) throw new CommandError('BadValue', '$replaceRoot needs a newRoot')
  return replaceWith(argument.newRoot, options)
}

const stages: Readonly<Record<string, Compile>> = {
  $project: project,
  $unset: unset,
  $addFields: addFields,
  $set: addFields,
  $replaceWith: replaceWith,
  $replaceRoot: replaceRoot,
}

/** Compiles such a stage; `undefined` when the name is not one of them. */
export function compileDocumentStage(
  name: string,
  argument: unknown,
  options: DocumentStageOptions,
): DocumentStage | undefined {
  if (!Object.hasOwn(stages, name)) return undefined
  const compiled = stages[name]?.(argument, options)
  if (!compiled) return undefined
  const { scores } = options
  if (!scores) return compiled
  return doc => {
    const result = compiled(doc)
    const score = scores.get(doc)
    if (score !== undefined) scores.set(result, score)
    return result
  }
}
