import { type Doc, isDoc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { compileExpression, type Expression, type Variables } from '../expression/expression.ts'
import { paced } from '../pace.ts'
import { parsePath, withField } from '../query/path.ts'
import { compileProjection } from '../query/projection.ts'
import type { Scores } from '../query/sort.ts'
import { groupStages } from './group.ts'
import { joinStages } from './join-stages.ts'
import { type CompileStage, type PipelineContext, rowStages, type Stage } from './row-stages.ts'

const streamStages: Readonly<Record<string, CompileStage>> = { ...rowStages, ...groupStages, ...joinStages }

/** Compiles a pipeline. @throws CommandError for an unknown stage, before anything runs */
export function compilePipeline(pipeline: readonly unknown[], context: PipelineContext): Stage {
  const compiled = pipeline.map(stage => {
    if (!isDoc(stage) || Object.keys(stage).length !== 1)
      fail('A pipeline stage specification object must contain exactly one field.', 'Location40323')
    const [name = ''] = Object.keys(stage)
    return compileStage(name, stage[name], context)
  })
  return docs => compiled.reduce((current, stage) => stage(current), docs)
}

function compileStage(name: string, argument: unknown, context: PipelineContext): Stage {
  const perDocument = compileDocumentStage(name, argument, context)
  if (perDocument) return docs => paced(docs, context.pace, perDocument)
  const compile = Object.hasOwn(streamStages, name) ? streamStages[name] : undefined
  if (!compile) fail(`Unrecognized pipeline stage name: '${name}'`, 'Location40324')
  return compile(argument, { ...context, compile: compilePipeline })
}

export interface DocumentStageOptions {
  readonly variables: Variables
  readonly scores?: Scores
}

/** A stage that maps each document to one other. */
export type DocumentStage = (doc: Doc) => Doc
type Compile = (argument: unknown, options: DocumentStageOptions) => DocumentStage

const project: Compile = (argument, { variables, scores }) => {
  if (!isDoc(argument) || Object.keys(argument).length === 0) fail('$project specification must be a non-empty object')
  return compileProjection(argument, { find: false, variables, scores })
}

const unset: Compile = argument => {
  const names = Array.isArray(argument) ? argument : [argument]
  if (!names.every(name => typeof name === 'string'))
    fail('$unset specification must be a string or an array of strings')
  return compileProjection(Object.fromEntries(names.map(name => [name, false])), { find: false })
}

const addFields: Compile = (argument, { variables, scores }) => {
  if (!isDoc(argument)) fail('$addFields specification must be an object')
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

/** `{ a: { b: '$x' } }` adds a field to a stored `a`, as `'a.b'` does. An operator or an empty document is a value. */
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
    fail("'replacement document' must evaluate to an object", 'Location40228')
  }
}

const replaceRoot: Compile = (argument, options) => {
  if (!isDoc(argument) || !('newRoot' in argument)) fail('$replaceRoot needs a newRoot')
  return replaceWith(argument.newRoot, options)
}

const documentStages: Readonly<Record<string, Compile>> = {
  $project: project,
  $unset: unset,
  $addFields: addFields,
  $set: addFields,
  $replaceWith: replaceWith,
  $replaceRoot: replaceRoot,
}

/** Compiles a stage that maps single documents. Returns undefined if the name belongs to no such stage. */
export function compileDocumentStage(
  name: string,
  argument: unknown,
  options: DocumentStageOptions,
): DocumentStage | undefined {
  const compiled = Object.hasOwn(documentStages, name) ? documentStages[name]?.(argument, options) : undefined
  const { scores } = options
  if (!compiled || !scores) return compiled
  return doc => {
    const result = compiled(doc)
    const score = scores.get(doc)
    if (score !== undefined) scores.set(result, score)
    return result
  }
}
