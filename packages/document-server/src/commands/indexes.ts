import { Int32 } from 'bson'
import { type Doc, encode, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { listed } from '../pace.ts'
import type { Collection } from '../storage/collection.ts'
import { type Index, idIndexSpec } from '../storage/index-definition.ts'
import { type Command, collectionName, type Engine, findCollection, type Request } from './command.ts'
import { conflictWith, normalizeSpec, sameKeyPattern } from './index-spec.ts'
import { Options } from './options.ts'

const createIndexes: Command = {
  options: ['createIndexes', 'indexes', 'commitQuorum'],
  writes: true,
  run(request, engine) {
    const specs = request.options.docs('indexes') ?? []
    if (specs.length === 0) throw new CommandError('BadValue', 'Must specify at least one index to create')
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
  if (sameKeyPattern(spec.key, idIndexSpec().key)) return
  const exists = collection.indexes.some(index => conflictWith(index, spec))
  if (!exists) engine.catalog.addIndex(collection, spec, request.pace)
}

const listIndexes: Command = {
  options: ['listIndexes', 'cursor'],
  run(request, engine) {
    const collection = required(request, engine)
    const specs = [idIndexSpec(), ...collection.indexes.map(index => index.spec)]
    return engine.cursors.start(listed(specs.map(encode)), {
      namespace: collection.namespace,
      pace: request.pace,
      batchSize: new Options(request.options.doc('cursor') ?? {}, 'listIndexes.cursor').count('batchSize'),
      session: request.session,
    })
  },
}

const dropIndexes: Command = {
  options: ['dropIndexes', 'index'],
  writes: true,
  run(request, engine) {
    const collection = required(request, engine)
    const nIndexesWas = new Int32(collection.indexes.length + 1)
    for (const index of chosen(collection, request.options.raw('index'))) engine.catalog.dropIndex(collection, index)
    return { nIndexesWas }
  },
}

function required(request: Request, engine: Engine): Collection {
  const collection = findCollection(request, engine)
  if (collection) return collection
  throw new CommandError('NamespaceNotFound', `ns does not exist: ${request.database}.${collectionName(request)}`)
}

function chosen(collection: Collection, wanted: unknown): Index[] {
  if (wanted === '*') return [...collection.indexes]
  if (Array.isArray(wanted)) return wanted.flatMap(name => chosen(collection, name))
  if (wanted === '_id_' || (isDoc(wanted) && sameKeyPattern(wanted, idIndexSpec().key)))
    throw new CommandError('InvalidOptions', 'cannot drop _id index')
  const found = collection.indexes.find(index =>
    typeof wanted === 'string' ? index.name === wanted : sameKeyPattern(index.key, wanted),
  )
  if (found) return [found]
  const shown = typeof wanted === 'string' ? `name [${wanted}]` : `key: ${JSON.stringify(wanted)}`
  throw new CommandError('IndexNotFound', `index not found with ${shown}`)
}

export const indexCommands: Readonly<Record<string, Command>> = { createIndexes, listIndexes, dropIndexes }
