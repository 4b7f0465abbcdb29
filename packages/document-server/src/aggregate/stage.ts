import type { Doc } from '../bson/document.ts'
import type { Variables } from '../expression/expression.ts'
import type { Scores } from '../query/sort.ts'

/** A stage turns all documents into others. Stored documents are never changed in place. */
export type Stage = (docs: Doc[]) => Doc[]

/** What stages need besides their documents. */
export interface PipelineContext {
  readonly variables: Variables
  readonly scores: Scores
  /** Throws when the command has run out of time. */
  readonly tick: () => void
  /** The documents of another collection of the database that match a filter. */
  readonly read: (collection: string, filter: Doc) => Doc[]
}

export interface StageContext extends PipelineContext {
  /** Compiles a pipeline inside of a stage. */
  readonly compile: (pipeline: readonly unknown[], context: PipelineContext) => Stage
}

export type CompileStage = (argument: unknown, context: StageContext) => Stage
