import { BSONRegExp } from 'bson'
import { type Doc, isDoc, maxDocumentBytes } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { fail } from '../errors.ts'
import { compileExpression } from '../expression/expression.ts'
import { assertWritable } from '../expression/scope.ts'
import { collect, Memory } from '../memory.ts'
import { listed, type Pace } from '../pace.ts'
import { fieldPath, someValue, withField } from '../query/path.ts'
import type { CompileStage, StageContext } from './row-stages.ts'

const malformed = (message: string): never => fail(message, 'FailedToParse')

const text = (doc: Doc, name: string, stage: string): string => {
  const value = doc[name]
  return typeof value === 'string' ? value : malformed(`the ${stage} argument '${name}' must be a string`)
}

function allowOnly(doc: Doc, names: readonly string[], stage: string): void {
  const unknown = Object.keys(doc).find(key => !names.includes(key))
  if (unknown !== undefined) malformed(`unknown argument to ${stage}: ${unknown}`)
}

const lookup: CompileStage = (argument, context) => {
  if (!isDoc(argument)) return malformed('the $lookup specification must be an object')
  allowOnly(argument, ['from', 'localField', 'foreignField', 'as', 'let', 'pipeline'], '$lookup')
  const from = text(argument, 'from', '$lookup')
  const as = fieldPath(text(argument, 'as', '$lookup'))
  const joined = joiner(argument, from, context)
  const { pace } = context
  return async function* (docs) {
    const join = joined()
    for await (const doc of docs) {
      if (pace.needsPause()) await pace.pause()
      yield withField(doc, as, await collect(join(doc), oneField('$lookup'), pace))
    }
  }
}

/** The memory for one field of a document, which can never be larger than a document. */
const oneField = (stage: string): Memory => new Memory(stage, maxDocumentBytes, 'Location4568')

/** Returns, for one run of the stage, a function that finds the other collection's documents for a document. */
function joiner(argument: Doc, from: string, context: StageContext): () => (doc: Doc) => AsyncIterable<Doc> {
  const byField = argument.localField === undefined ? undefined : fieldJoin(argument, from, context)
  if (argument.pipeline === undefined) {
    const join = byField ?? malformed('$lookup requires localField and foreignField, or a pipeline')
    return () => join
  }
  if (!Array.isArray(argument.pipeline)) return malformed("the $lookup argument 'pipeline' must be an array")
  const pipeline: unknown[] = argument.pipeline
  const lets = Object.entries(lookupLet(argument)).map(([name, value]) => {
    assertWritable(name)
    return [name, compileExpression(value, context)] as const
  })
  const bound = (doc: Doc): Doc => Object.fromEntries(lets.map(([name, value]) => [name, value(doc)]))
  // Only for the errors in it: the values come with the documents.
  const names = Object.fromEntries(lets.map(([name]) => [name, null]))
  context.compile(pipeline, { ...context, variables: { ...context.variables, ...names } })
  return () => {
    const all = byField ? undefined : cached(() => context.read(from, {}), context.pace)
    return doc => {
      const variables = { ...context.variables, ...bound(doc) }
      return context.compile(pipeline, { ...context, variables })(byField?.(doc) ?? all?.() ?? listed([]))
    }
  }
}

function lookupLet(argument: Doc): Doc {
  const value = argument.let ?? {}
  if (!isDoc(value)) return malformed("the $lookup argument 'let' must be an object")
  if (argument.pipeline === undefined && argument.let !== undefined)
    return malformed("$lookup with a 'let' argument must also specify 'pipeline'")
  return value
}

/** Reads the documents once, however often they are needed. */
function cached(read: () => AsyncIterable<Doc>, pace: Pace): () => AsyncIterable<Doc> {
  let docs: Promise<Doc[]> | undefined
  return async function* () {
    docs ??= collect(read(), new Memory('$lookup'), pace)
    yield* await docs
  }
}

function fieldJoin(argument: Doc, from: string, context: StageContext): (doc: Doc) => AsyncIterable<Doc> {
  const local = fieldPath(text(argument, 'localField', '$lookup'))
  const foreign = text(argument, 'foreignField', '$lookup')
  fieldPath(foreign)
  return doc => {
    const values = new Map<string, unknown>()
    someValue(doc, local, true, value => {
      if (!Array.isArray(value)) values.set(keyText(value), value ?? null)
      return false
    })
    return values.size === 0 ? listed([]) : context.read(from, equalToSome(foreign, [...values.values()]))
  }
}

/** In `$in` a regular expression would match texts, but it is joined as a value. */
const equalToSome = (field: string, values: readonly unknown[]): Doc =>
  values.some(value => value instanceof BSONRegExp)
    ? { $or: values.map(value => ({ [field]: { $eq: value } })) }
    : { [field]: { $in: values } }

const facet: CompileStage = (argument, context) => {
  if (!isDoc(argument) || Object.keys(argument).length === 0)
    return fail('the $facet specification must be a non-empty object', 'Location40169')
  const parts = Object.entries(argument).map(([name, pipeline]) => {
    if (!Array.isArray(pipeline)) return fail(`arguments to $facet must be arrays, ${name} is not`, 'Location40170')
    if (pipeline.some(stage => isDoc(stage) && '$facet' in stage))
      fail('$facet is not allowed to be used within a $facet stage', 'Location40600')
    return [name, context.compile(pipeline, context)] as const
  })
  return async function* (docs) {
    const all = await collect(docs, new Memory('$facet'), context.pace)
    const result: Doc = {}
    for (const [name, stage] of parts)
      result[name] = await collect(stage(listed(all)), oneField('$facet'), context.pace)
    yield result
  }
}

const unionWith: CompileStage = (argument, context) => {
  const spec: Doc = isDoc(argument) ? argument : { coll: argument }
  allowOnly(spec, ['coll', 'pipeline'], '$unionWith')
  const name = text(spec, 'coll', '$unionWith')
  const { pipeline = [] } = spec
  if (!Array.isArray(pipeline)) return fail('the $unionWith pipeline must be an array', 'TypeMismatch')
  const stage = context.compile(pipeline, context)
  return async function* (docs) {
    yield* docs
    yield* stage(context.read(name, {}))
  }
}

/** Stages that involve other collections or pipelines. */
export const joinStages: Readonly<Record<string, CompileStage>> = {
  $lookup: lookup,
  $facet: facet,
  $unionWith: unionWith,
}
