import { type Doc, isDoc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { compileExpression, type ExpressionOptions } from '../expression/expression.ts'
import { paced } from '../pace.ts'
import { fieldPath, withField } from '../query/path.ts'
import { compileProjection } from '../query/projection.ts'
import { groupStages } from './group.ts'
import { joinStages } from './join-stages.ts'
import { type CompileStage, type PipelineContext, rowStages, type Stage } from './row-stages.ts'

const streamStages: Readonly<Record<string, CompileStage>> = { ...rowStages, ...groupStages, ...joinStages }

/** Compiles a pipeline. @throws CommandError for an unknown stage, before anything runs */
export function compilePipeline(pipeline: readonly unknown[], context: PipelineContext): Stage {
  const compiled = pipeline.map(stage => {
    if (!isDoc(stage)) fail("Each element of the 'pipeline' array must be an object", 'TypeMismatch')
    if (Object.keys(stage).length !== 1)
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

/** A stage that maps each document to one other. */
export type DocumentStage = (doc: Doc) => Doc
type Compile = (argument: unknown, options: ExpressionOptions) => DocumentStage

const project: Compile = (argument, options) => {
  if (!isDoc(argument)) fail('$project specification must be an object', 'Location15969')
  if (Object.keys(argument).length === 0) fail('projection specification must have at least one field', 'Location51272')
  return compileProjection(argument, { find: false, ...options })
}

const unset: Compile = (argument, options) => {
  const names = Array.isArray(argument) ? argument : [argument]
  if (typeof argument !== 'string' && !Array.isArray(argument))
    fail('$unset specification must be a string or an array', 'Location31002')
  if (names.length === 0)
    fail('$unset specification must be a string or an array with at least one field', 'Location31119')
  if (!names.every(name => typeof name === 'string'))
    fail('$unset specification must be a string or an array containing only string values', 'Location31120')
  return compileProjection(Object.fromEntries(names.map(name => [name, false])), { find: false, ...options })
}

const addFields: Compile = (argument, options) => {
  if (!isDoc(argument)) fail('$addFields specification stage must be an object', 'Location40272')
  const fields = flatFields(argument, [], options)
  return doc => {
    let result = doc
    for (const { path, expression } of fields) result = withField(result, path, expression(doc))
    return result
  }
}

interface Field {
  readonly path: readonly string[]
  readonly expression: (doc: Doc) => unknown
}

/** `{ a: { b: '$x' } }` adds a field to a stored `a`, as `'a.b'` does. An operator or an empty document is a value. */
function flatFields(argument: Doc, prefix: readonly string[], options: ExpressionOptions): Field[] {
  return Object.entries(argument).flatMap(([key, value]) => {
    const path = [...prefix, ...fieldPath(key)]
    const [first] = isDoc(value) ? Object.keys(value) : []
    if (isDoc(value) && first !== undefined && !first.startsWith('$')) return flatFields(value, path, options)
    return [{ path, expression: compileExpression(value, options) }]
  })
}

const replaceWith: Compile = (argument, options) => {
  const expression = compileExpression(argument, options)
  return doc => {
    const result = expression(doc)
    if (isDoc(result)) return result
    fail("'replacement document' must evaluate to an object", 'Location40228')
  }
}

const replaceRoot: Compile = (argument, options) => {
  if (!isDoc(argument)) fail('expected an object as specification for $replaceRoot stage', 'Location40229')
  const unknown = Object.keys(argument).find(key => key !== 'newRoot')
  if (unknown !== undefined) fail(`unrecognized option to $replaceRoot stage: ${unknown}`, 'Location40415')
  if (!('newRoot' in argument)) fail('no newRoot specified for the $replaceRoot stage', 'Location40231')
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

/** Every stage. Any other is refused with code 40324. */
export const stageNames = [...Object.keys(documentStages), ...Object.keys(streamStages)]

/** Compiles a stage that maps single documents. Returns undefined if the name belongs to no such stage. */
export function compileDocumentStage(
  name: string,
  argument: unknown,
  options: ExpressionOptions,
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
