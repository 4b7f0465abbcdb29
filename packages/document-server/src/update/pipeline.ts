import { compileDocumentStage } from '../aggregate/document-stages.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import type { Variables } from '../expression/expression.ts'

/** An update given as an aggregation pipeline: `$set`, `$unset`, `$project`, `$replaceWith` and their aliases. */
export function compilePipelineUpdate(pipeline: readonly unknown[], variables: Variables): (doc: Doc) => Doc {
  const stages = pipeline.map(stage => {
    if (!isDoc(stage)) throw new CommandError('TypeMismatch', 'Each element of the pipeline array must be an object')
    const [name = ''] = Object.keys(stage)
    const compiled = compileDocumentStage(name, stage[name], { variables })
    if (!compiled) throw new CommandError('InvalidOptions', `${name} is not allowed to be used within an update`)
    return compiled
  })
  return doc => stages.reduce((current, stage) => stage(current), doc)
}
