import { compilePipeline } from '../aggregate/pipeline.ts'
import type { PipelineContext } from '../aggregate/row-stages.ts'
import { type Doc, encode, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { listed } from '../pace.ts'
import { checkFilter, select } from '../query/select.ts'
import type { Row } from '../storage/collection.ts'
import { type Command, collectionName, type Engine, Options, type Request, replyWithCursor } from './command.ts'

export const aggregate: Command = {
  options: 'aggregate pipeline cursor allowDiskUse hint let collation bypassDocumentValidation explain',
  run(request, engine) {
    const { options } = request
    options.refuse('explain')
    const collection = options.raw('aggregate')
    if (isNumeric(collection) && toNumber(collection) === 1)
      fail('aggregation on a whole database (aggregate: 1) is not supported by this server', 'CommandNotSupported')
    const cursor =
      options.doc('cursor') ??
      fail("The 'cursor' option is required, except for aggregate with the explain argument", 'FailedToParse')
    const name = collectionName(request)
    return replyWithCursor(request, engine, name, runPipeline(request, engine, name), {
      batchSize: new Options(cursor, 'aggregate.cursor').allow('batchSize').count('batchSize'),
    })
  },
}

function runPipeline(request: Request, engine: Engine, name: string): AsyncIterable<Uint8Array> {
  const { options, pace, variables } = request
  const pipeline = options.array('pipeline') ?? []
  const scores = new WeakMap<Doc, number>()
  const read = (other: string, filter: Doc): AsyncIterable<Doc> => {
    const collection = engine.catalog.find(request.database, other)
    if (collection) return docsOf(select(collection, filter, { variables, scores, pace }).rows)
    checkFilter(filter, variables)
    return listed([])
  }
  const context: PipelineContext = { variables, scores, pace, read }
  // A leading $match selects the rows while they are read, through an index if there is one.
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
