import { Int32, Long } from 'bson'
import { compareValues } from '../bson/compare.ts'
import { type Doc, encode, maxDocumentBytes } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { isNumeric, wholeNumber } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { Memory } from '../memory.ts'
import { listed } from '../pace.ts'
import { parsePath, reachedValues } from '../query/path.ts'
import { assertNoPositional, compileProjection } from '../query/projection.ts'
import { checkFilter, select } from '../query/select.ts'
import { checkSort, sorted } from '../query/sort.ts'
import type { Row } from '../storage/collection.ts'
import { type Command, collectionName, type Engine, findCollection, type Request, replyWithCursor } from './command.ts'

const find: Command = {
  options:
    'find filter sort projection hint skip limit batchSize singleBatch let collation noCursorTimeout allowDiskUse ' +
    'allowPartialResults tailable awaitData oplogReplay returnKey showRecordId min max',
  run(request, engine) {
    const { options } = request
    for (const name of ['tailable', 'awaitData', 'returnKey', 'showRecordId']) options.refuse(name)
    for (const name of ['min', 'max']) options.refuse(name, () => false)
    const limit = options.number('limit') ?? 0
    const documents = findDocuments(request, engine, Math.abs(limit))
    return replyWithCursor(request, engine, collectionName(request), documents, {
      batchSize: options.count('batchSize'),
      singleBatch: options.bool('singleBatch') || limit < 0,
      noTimeout: options.bool('noCursorTimeout'),
    })
  },
}

function findDocuments(request: Request, engine: Engine, limit: number): AsyncIterable<Uint8Array> {
  const { options, pace, variables } = request
  const filter = options.doc('filter') ?? {}
  const spec = options.doc('projection') ?? {}
  const skip = options.count('skip') ?? 0
  assertNoPositional(spec)
  const scores = new WeakMap<Doc, number>()
  const project = Object.keys(spec).length > 0 ? compileProjection(spec, { find: true, scores, variables }) : undefined
  const collection = findCollection(request, engine)
  const sort = options.doc('sort') ?? {}
  if (!collection) {
    checkFilter(filter, variables)
    if (!Object.hasOwn(sort, '$natural')) checkSort(sort)
    return listed([])
  }
  const rows = sorted(select(collection, filter, { variables, scores, pace }).rows, sort, {
    ...{ pace, scores, doc: row => row.doc, size: row => row.bytes.byteLength },
    ...(limit > 0 ? { limit: limit + skip } : {}),
  })
  return outgoing(rows, skip, limit, row => (project ? encode(project(row.doc)) : row.bytes))
}

async function* outgoing(
  rows: AsyncIterable<Row>,
  skip: number,
  limit: number,
  encoded: (row: Row) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  let position = 0
  for await (const row of rows) {
    if (position++ < skip) continue
    yield encoded(row)
    if (position === skip + limit) return
  }
}

const count: Command = {
  options: 'count query limit skip hint collation fields',
  async run(request, engine) {
    const { options } = request
    const filter = options.doc('query') ?? {}
    const skip = options.count('skip') ?? 0
    const limit = Math.abs(options.number('limit') ?? 0)
    const collection = findCollection(request, engine)
    if (!collection) checkFilter(filter, request.variables)
    if (!collection) return { n: new Int32(0) }
    let matching = 0
    if (Object.keys(filter).length === 0) matching = collection.count()
    else for await (const _ of select(collection, filter, request).rows) matching++
    const rest = Math.max(0, matching - skip)
    return { n: wholeNumber(limit > 0 ? Math.min(limit, rest) : rest) }
  },
}

const distinct: Command = {
  options: 'distinct key query collation hint',
  async run(request, engine) {
    const { options } = request
    const key = options.text('key') ?? fail("BSON field 'distinct.key' is missing but a required field")
    const path = parsePath(key)
    const filter = options.doc('query') ?? {}
    const collection = findCollection(request, engine)
    if (!collection) checkFilter(filter, request.variables)
    const values = new Map<string, unknown>()
    const rows = collection ? select(collection, filter, request).rows : listed<Row>([])
    const memory = new Memory('distinct', maxDocumentBytes, 'Location17217')
    for await (const row of rows)
      for (const value of reachedValues(row.doc, path)) {
        const text = keyText(value)
        if (!values.has(text)) memory.addValue(value)
        values.set(text, value)
      }
    return { values: [...values.values()].sort(compareValues) }
  },
}

function cursorId(value: unknown): Long {
  if (value instanceof Long) return value
  return isNumeric(value) ? Long.fromString(value.toString()) : fail('a cursor id must be a long', 'TypeMismatch')
}

const getMore: Command = {
  options: 'getMore collection batchSize',
  run({ options, database, client }, engine) {
    const namespace = `${database}.${options.text('collection') ?? ''}`
    return engine.cursors.more(
      cursorId(options.raw('getMore')),
      namespace,
      options.count('batchSize') || undefined,
      client,
    )
  },
}

const killCursors: Command = {
  options: 'killCursors cursors',
  run(request, engine) {
    const ids = (request.options.array('cursors') ?? []).map(cursorId)
    const killed = ids.map(id => ({ id, known: engine.cursors.kill(id) }))
    return {
      cursorsKilled: killed.filter(({ known }) => known).map(({ id }) => id),
      cursorsNotFound: killed.filter(({ known }) => !known).map(({ id }) => id),
      cursorsAlive: [],
      cursorsUnknown: [],
    }
  },
}

export const findCommands = { find, count, distinct, getMore, killCursors }
