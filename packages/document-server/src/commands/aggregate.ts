import { compilePipeline } from '../aggregate/pipeline.ts'
import type { PipelineContext } from '../aggregate/stage.ts'
import { type Doc, encode, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import { listed } from '../pace.ts'
import { checkFilter, select } from '../query/select.ts'
import type { Row } from '../storage/collection.ts'
import { type Command, collectionName, type Engine, type Request } from './command.ts'
import { isSimpleCollation, Options } from './options.ts'

const aggregate: Command = {
  options: [
    'aggregate',
    'pipeline',
    'cursor',
    'allowDiskUse',
    'hint',
    'let',
    'collation',
    'bypassDocumentValidation',
    'explain',
  ],
  run(request, engine) {
    const { options } = request
    options.refuse('explain', value => value === false).refuse('collation', isSimpleCollation)
    const collection = options.raw('aggregate')
    if (isNumeric(collection) && toNumber(collection) === 1)
      throw new CommandError(
        'CommandNotSupported',
        'aggregation on a whole database (aggregate: 1) is not supported by this server',
      )
    const cursor = options.doc('cursor')
    if (!cursor)
      throw new CommandError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      )
    const name = collectionName(request)
    return engine.cursors.start(runPipeline(request, engine, name), {
      pace: request.pace,
      namespace: `${request.database}.${name}`,
      batchSize: new Options(cursor, 'aggregate.cursor').allow(['batchSize']).count('batchSize'),
      session: request.session,
    })
  },
}

function runPipeline(request: Request, engine: Engine, name: string): AsyncIterable<Uint8Array> {
  const { options, pace } = request
  const pipeline = options.array('pipeline') ?? []
  const variables = options.doc('let') ?? {}
  const scores = new WeakMap<Doc, number>()
  const read = (other: string, filter: Doc): AsyncIterable<Doc> => {
    const collection = engine.catalog.find(request.database, other)
    if (!collection) {
      checkFilter(filter, variables)
      return listed([])
    }
    return docsOf(select(collection, filter, { variables, scores, pace }).rows)
  }
  const context: PipelineContext = { variables, scores, pace, read }
  // A $match in first place chooses the rows while they are read, by an index where there is one.
  const [first] = pipeline
  const leading = isDoc(first) && isDoc(first.$match) && Object.keys(first).length === 1 ? first.$match : undefined
  const stage = compilePipeline(leading ? pipeline.slice(1) : pipeline, context)
  return encoded(stage(read(name, leading ?? {})))
}

async function* docsOf(rows: AsyncIterable<Row>): AsyncGenerator<Doc> {
  for await (const { doc } of rows) yield doc
}

async function* encoded(docs: AsyncIterable<Doc>): AsyncGenerator<Uint8Array> {
  for await (const doc of docs) yield encode(doc)
}

export const aggregateCommands: Readonly<Record<string, Command>> = { aggregate }
