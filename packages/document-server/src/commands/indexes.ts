import { BSONRegExp, Int32 } from 'bson'
import { equalValues } from '../bson/compare.ts'
import { type Doc, encode, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber, truthy } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { listed } from '../pace.ts'
import { compileFilter, isOperatorDoc } from '../query/match.ts'
import { parsePath } from '../query/path.ts'
import type { Collection } from '../storage/collection.ts'
import { type Index, idIndexSpec } from '../storage/indexes.ts'
import {
  type Command,
  collectionName,
  type Engine,
  findCollection,
  Options,
  type Request,
  replyWithCursor,
} from './command.ts'

const createIndexes: Command = {
  options: 'createIndexes indexes commitQuorum',
  writes: true,
  run(request, engine) {
    const specs = request.options.docs('indexes') ?? []
    if (specs.length === 0) fail('Must specify at least one index to create')
    const existing = findCollection(request, engine)
    const collection = engine.catalog.require(request.database, collectionName(request))
    const before = collection.indexes.length
    for (const spec of specs) addIndex(request, engine, collection, normalizeSpec(spec))
    const reply: Doc = {
      numIndexesBefore: new Int32(before + 1),
      numIndexesAfter: new Int32(collection.indexes.length + 1),
      createdCollectionAutomatically: existing === undefined,
    }
    return collection.indexes.length === before ? { ...reply, note: 'all indexes already exist' } : reply
  },
}

function addIndex(request: Request, engine: Engine, collection: Collection, spec: Doc): void {
  if (equalValues(spec.key, idIndexSpec().key)) return
  const exists = collection.indexes.some(index => isSameIndex(index, spec))
  if (!exists) engine.catalog.addIndex(collection, spec, request.pace)
}

const listIndexes: Command = {
  options: 'listIndexes cursor',
  run(request, engine) {
    const collection = existingCollection(request, engine)
    const specs = [idIndexSpec(), ...collection.indexes.map(index => index.spec)]
    return replyWithCursor(request, engine, collection.name, listed(specs.map(encode)), {
      batchSize: new Options(request.options.doc('cursor') ?? {}, 'listIndexes.cursor').count('batchSize'),
    })
  },
}

const dropIndexes: Command = {
  options: 'dropIndexes index',
  writes: true,
  run(request, engine) {
    const collection = existingCollection(request, engine)
    const nIndexesWas = new Int32(collection.indexes.length + 1)
    for (const index of indexesToDrop(collection, request.options.raw('index')))
      engine.catalog.dropIndex(collection, index)
    return { nIndexesWas }
  },
}

const existingCollection = (request: Request, engine: Engine): Collection =>
  findCollection(request, engine) ??
  fail(`ns does not exist: ${request.database}.${collectionName(request)}`, 'NamespaceNotFound')

function indexesToDrop(collection: Collection, wanted: unknown): Index[] {
  if (wanted === '*') return [...collection.indexes]
  if (Array.isArray(wanted)) return wanted.flatMap(name => indexesToDrop(collection, name))
  if (wanted === '_id_' || (isDoc(wanted) && equalValues(wanted, idIndexSpec().key)))
    fail('cannot drop _id index', 'InvalidOptions')
  const found = collection.indexes.find(index =>
    typeof wanted === 'string' ? index.name === wanted : equalValues(index.key, wanted),
  )
  if (found) return [found]
  const shown = typeof wanted === 'string' ? `name [${wanted}]` : `key: ${JSON.stringify(wanted)}`
  return fail(`index not found with ${shown}`, 'IndexNotFound')
}

export const indexCommands = { createIndexes, listIndexes, dropIndexes }

const specOptions =
  'v key name unique sparse background partialFilterExpression expireAfterSeconds weights default_language ' +
  'language_override textIndexVersion collation hidden'

const cannot = (message: string): never => fail(message, 'CannotCreateIndex')

/** Checks the specification of an index and brings it into the form that `listIndexes` shows. @throws CommandError */
function normalizeSpec(given: Doc): Doc {
  const options = new Options(given, 'createIndexes.indexes').allow(specOptions).refuse('hidden')
  const key = options.doc('key') ?? cannot('the index specification has no key')
  const name = options.text('name') ?? cannot('the index specification has no name')
  if (name === '' || name === '*') cannot(`'${name}' cannot be the name of an index`)
  assertKey(key)
  const spec: Doc = { v: new Int32(2), key, name }
  if (options.bool('unique')) spec.unique = true
  if (options.bool('sparse')) spec.sparse = true
  const partial = options.doc('partialFilterExpression')
  if (partial) {
    compileFilter(partial)
    assertPartial(partial)
    if (spec.sparse) cannot("cannot mix 'partialFilterExpression' and 'sparse' options")
    spec.partialFilterExpression = partial
  }
  if (options.raw('expireAfterSeconds') !== undefined) spec.expireAfterSeconds = assertExpiry(options, key)
  if (Object.values(key).includes('text')) addTextFields(spec, key, options)
  else if (options.raw('weights') !== undefined) cannot('only text indexes have weights')
  return spec
}

function assertKey(key: Doc): void {
  const entries = Object.entries(key)
  if (entries.length === 0) cannot('Index keys cannot be an empty object')
  for (const [field, direction] of entries) {
    if (field !== '$**') parsePath(field)
    if (typeof direction === 'string' && direction !== 'text')
      cannot(`the index type '${direction}' is not supported by this server`)
    if (direction !== 'text' && (!isNumeric(direction) || toNumber(direction) === 0))
      cannot(`Values in the index key pattern must be a non-zero number or 'text': ${field}`)
    if (field.includes('$**') && direction !== 'text') cannot('wildcard indexes are not supported by this server')
    if (field.split('.').some(segment => segment.startsWith('$') && segment !== '$**'))
      cannot(`Index key contains an illegal field name: ${field}`)
  }
  const texts = entries.filter(([, direction]) => direction === 'text').length
  if (texts > 0 && texts < entries.length) cannot('text indexes with other keys are not supported by this server')
}

const partialOperators = ['$eq', '$exists', '$gt', '$gte', '$in', '$lt', '$lte', '$type']

/** @throws CommandError for filters that MongoDB does not take for partial indexes */
function assertPartial(filter: Doc): void {
  for (const [key, value] of Object.entries(filter)) {
    if ((key === '$and' || key === '$or') && Array.isArray(value)) {
      for (const part of value) if (isDoc(part)) assertPartial(part)
      continue
    }
    const conditions = isOperatorDoc(value) ? Object.entries(value) : [['$eq', value] as const]
    const unsupported = conditions.find(
      ([name, argument]) =>
        !partialOperators.includes(name) || argument instanceof BSONRegExp || (name === '$exists' && !truthy(argument)),
    )
    if (key.startsWith('$') || unsupported)
      cannot(`Expression not supported in partial index: ${key.startsWith('$') ? key : `${key} ${unsupported?.[0]}`}`)
  }
}

function assertExpiry(options: Options, key: Doc): Int32 {
  const seconds = options.number('expireAfterSeconds') ?? -1
  if (seconds < 0 || seconds > 2 ** 31 - 1) cannot('expireAfterSeconds must be between 0 and 2147483647')
  if (Object.keys(key).length !== 1 || '_id' in key) cannot('a TTL index must have a single field other than _id')
  return new Int32(seconds)
}

function addTextFields(spec: Doc, key: Doc, options: Options): void {
  if (spec.unique) cannot('text indexes cannot be unique')
  const language = options.text('default_language') ?? 'english'
  if (language !== 'english' && language !== 'none')
    cannot(`the text search language '${language}' is not supported by this server: use 'english' or 'none'`)
  const given = options.doc('weights') ?? {}
  for (const [field, weight] of Object.entries(given)) {
    if (field !== '$**') parsePath(field)
    if (!isNumeric(weight) || !(toNumber(weight) > 0 && toNumber(weight) < 100_000))
      cannot(`the weight of '${field}' must be between 1 and 99999`)
  }
  const fields = [...new Set([...Object.keys(key), ...Object.keys(given)])].sort()
  // MongoDB shows every text index with this key, and its fields in the weights.
  spec.key = { _fts: 'text', _ftsx: new Int32(1) }
  spec.weights = Object.fromEntries(fields.map(field => [field, given[field] ?? new Int32(1)]))
  spec.default_language = language
  spec.language_override = options.text('language_override') ?? 'language'
  spec.textIndexVersion = new Int32(3)
}

/** Whether this index already is the specified one. @throws CommandError if it shares only the name or only the key */
function isSameIndex(index: Index, spec: Doc): boolean {
  const sameName = index.name === spec.name
  const sameKey =
    equalValues(index.key, spec.key) && equalValues(index.spec.partialFilterExpression, spec.partialFilterExpression)
  if (!sameName && !sameKey) return false
  if (!sameKey)
    fail(`An existing index has the same name as the requested index: ${index.name}`, 'IndexKeySpecsConflict')
  if (!sameName) fail(`Index already exists with a different name: ${index.name}`, 'IndexOptionsConflict')
  if (!equalValues(index.spec, spec))
    fail(
      `An equivalent index already exists with the same name but different options: ${index.name}`,
      'IndexOptionsConflict',
    )
  return true
}
