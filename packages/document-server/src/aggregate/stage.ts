import type { Doc } from '../bson/document.ts'
import type { Variables } from '../expression/expression.ts'
import type { Pace } from '../pace.ts'
import type { Scores } from '../query/sort.ts'

/** A stage turns documents into others, as they are taken. Stored documents are never changed in place. */
export type Stage = (docs: AsyncIterable<Doc>) => AsyncIterable<Doc>

/** What stages need besides their documents. */
export interface PipelineContext {
  readonly variables: Variables
  readonly scores: Scores
  readonly pace: Pace
  /** The documents of another collection of the database that match a filter. */
  readonly read: (collection: string, filter: Doc) => AsyncIterable<Doc>
}

export interface StageContext extends PipelineContext {
  /** Compiles a pipeline inside of a stage. */
  readonly compile: (pipeline: readonly unknown[], context: PipelineContext) => Stage
}

export type CompileStage = (argument: unknown, context: StageContext) => Stage
