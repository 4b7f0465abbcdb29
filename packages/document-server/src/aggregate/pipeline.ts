import { isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { paced } from '../pace.ts'
import { compileDocumentStage } from './document-stages.ts'
import { groupStages } from './group.ts'
import { joinStages } from './join-stages.ts'
import { rowStages } from './row-stages.ts'
import type { CompileStage, PipelineContext, Stage } from './stage.ts'

const stages: Readonly<Record<string, CompileStage>> = { ...rowStages, ...groupStages, ...joinStages }

/** Compiles a pipeline. @throws CommandError for an unknown stage, before anything runs */
export function compilePipeline(pipeline: readonly unknown[], context: PipelineContext): Stage {
  const compiled = pipeline.map(stage => {
    if (!isDoc(stage) || Object.keys(stage).length !== 1)
      throw new CommandError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
    const [name = ''] = Object.keys(stage)
    return compileStage(name, stage[name], context)
  })
  return docs => compiled.reduce((current, stage) => stage(current), docs)
}

function compileStage(name: string, argument: unknown, context: PipelineContext): Stage {
  const perDocument = compileDocumentStage(name, argument, context)
  if (perDocument) return docs => paced(docs, context.pace, perDocument)
  const compile = Object.hasOwn(stages, name) ? stages[name] : undefined
  if (!compile) throw new CommandError('Location40324', `Unrecognized pipeline stage name: '${name}'`)
  return compile(argument, { ...context, compile: compilePipeline })
}
