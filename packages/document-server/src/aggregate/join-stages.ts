import { type Doc, isDoc, maxDocumentBytes } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { CommandError } from '../errors.ts'
import { compileExpression } from '../expression/expression.ts'
import { collect, Held } from '../memory.ts'
import { listed, type Pace } from '../pace.ts'
import { parsePath, someValue } from '../query/path.ts'
import type { CompileStage, StageContext } from './stage.ts'
import { withField } from './with-field.ts'

const fail = (message: string): never => {
  throw new CommandError('FailedToParse', message)
}

const text = (doc: Doc, name: string, stage: string): string => {
  const value = doc[name]
  return typeof value === 'string' ? value : fail(`the ${stage} argument '${name}' must be a string`)
}

function allowOnly(doc: Doc, names: readonly string[], stage: string): void {
  const unknown = Object.keys(doc).find(key => !names.includes(key))
  if (unknown !== undefined) fail(`unknown argument to ${stage}: ${unknown}`)
}

const lookup: CompileStage = (argument, context) => {
  if (!isDoc(argument)) return fail('the $lookup specification must be an object')
  allowOnly(argument, ['from', 'localField', 'foreignField', 'as', 'let', 'pipeline'], '$lookup')
  const from = text(argument, 'from', '$lookup')
  const as = parsePath(text(argument, 'as', '$lookup'))
  const joined = joiner(argument, from, context)
  const { pace } = context
  return async function* (docs) {
    const join = joined()
    for await (const doc of docs) {
      if (pace.tick()) await pace.pause()
      yield withField(doc, as, await collect(join(doc), heldBy('$lookup'), pace))
    }
  }
}

/** What one field of a document takes: no document can be larger. */
const heldBy = (stage: string): Held => new Held(stage, maxDocumentBytes, 'Location4568')

/** Gives, for one run of the stage, what finds the documents of the other collection for a document of this one. */
function joiner(argument: Doc, from: string, context: StageContext): () => (doc: Doc) => AsyncIterable<Doc> {
  const byField = argument.localField === undefined ? undefined : fieldJoin(argument, from, context)
  if (argument.pipeline === undefined) {
    const join = byField ?? fail('$lookup requires localField and foreignField, or a pipeline')
    return () => join
  }
  if (!Array.isArray(argument.pipeline)) return fail("the $lookup argument 'pipeline' must be an array")
  const pipeline: unknown[] = argument.pipeline
  const lets = Object.entries(isDoc(argument.let) ? argument.let : {}).map(
    ([name, value]) => [name, compileExpression(value)] as const,
  )
  const bound = (doc: Doc): Doc =>
    Object.fromEntries(lets.map(([name, value]) => [name, value(doc, context.variables) ?? null]))
  context.compile(pipeline, { ...context, variables: { ...context.variables, ...bound({}) } })
  return () => {
    const all = byField ? undefined : kept(() => context.read(from, {}), context.pace)
    return doc => {
      const variables = { ...context.variables, ...bound(doc) }
      return context.compile(pipeline, { ...context, variables })(byField?.(doc) ?? all?.() ?? listed([]))
    }
  }
}

/** Reads once what is asked for several times. */
function kept(read: () => AsyncIterable<Doc>, pace: Pace): () => AsyncIterable<Doc> {
  let docs: Promise<Doc[]> | undefined
  return async function* () {
    docs ??= collect(read(), new Held('$lookup'), pace)
    yield* await docs
  }
}

function fieldJoin(argument: Doc, from: string, context: StageContext): (doc: Doc) => AsyncIterable<Doc> {
  const local = parsePath(text(argument, 'localField', '$lookup'))
  const foreign = text(argument, 'foreignField', '$lookup')
  parsePath(foreign)
  return doc => {
    const values = new Map<string, unknown>()
    someValue(doc, local, true, value => {
      if (!Array.isArray(value)) values.set(keyText(value), value ?? null)
      return false
    })
    return values.size === 0 ? listed([]) : context.read(from, { [foreign]: { $in: [...values.values()] } })
  }
}

const facet: CompileStage = (argument, context) => {
  if (!isDoc(argument) || Object.keys(argument).length === 0)
    return fail('the $facet specification must be a non-empty object')
  const parts = Object.entries(argument).map(([name, pipeline]) => {
    if (!Array.isArray(pipeline)) return fail(`the $facet argument '${name}' must be an array`)
    return [name, context.compile(pipeline, context)] as const
  })
  return async function* (docs) {
    const all = await collect(docs, new Held('$facet'), context.pace)
    const result: Doc = {}
    for (const [name, stage] of parts) result[name] = await collect(stage(listed(all)), heldBy('$facet'), context.pace)
    yield result
  }
}

const unionWith: CompileStage = (argument, context) => {
  const spec: Doc = isDoc(argument) ? argument : { coll: argument }
  allowOnly(spec, ['coll', 'pipeline'], '$unionWith')
  const name = text(spec, 'coll', '$unionWith')
  const stage = Array.isArray(spec.pipeline)
    ? context.compile(spec.pipeline, context)
    : (docs: AsyncIterable<Doc>) => docs
  return async function* (docs) {
    yield* docs
    yield* stage(context.read(name, {}))
  }
}

/** Stages that bring other documents or pipelines in. */
export const joinStages: Readonly<Record<string, CompileStage>> = {
  $lookup: lookup,
  $facet: facet,
  $unionWith: unionWith,
}
