import { Binary, Double, Int32 } from 'bson'
import { type Doc, encode } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { listed } from '../pace.ts'
import { compileFilter } from '../query/match.ts'
import { idIndexSpec } from '../storage/indexes.ts'
import { type Command, collectionName, findCollection, Options, replyWithCursor } from './command.ts'

const create: Command = {
  options: 'create collation capped autoIndexId idIndex',
  writes: true,
  run(request, engine) {
    request.options.refuse('capped')
    if (findCollection(request, engine))
      fail(`Collection ${request.database}.${collectionName(request)} already exists.`, 'NamespaceExists')
    engine.catalog.create(request.database, collectionName(request))
    return {}
  },
}

const drop: Command = {
  options: 'drop',
  writes: true,
  run(request, engine) {
    const collection = findCollection(request, engine)
    if (!collection) return {}
    const nIndexesWas = new Int32(collection.indexes.length + 1)
    engine.catalog.drop(collection)
    return { nIndexesWas, ns: collection.namespace }
  },
}

const dropDatabase: Command = {
  options: 'dropDatabase',
  writes: true,
  run(request, engine) {
    const collections = engine.catalog.collections(request.database)
    for (const collection of collections) engine.catalog.drop(collection)
    return collections.length > 0 ? { dropped: request.database } : {}
  },
}

const listCollections: Command = {
  options: 'listCollections filter nameOnly authorizedCollections cursor',
  run(request, engine) {
    const { options } = request
    const matches = compileFilter(options.doc('filter') ?? {})
    const nameOnly = options.bool('nameOnly')
    const entries = engine.catalog
      .collections(request.database)
      .map((collection): Doc => {
        const entry: Doc = { name: collection.name, type: 'collection' }
        if (nameOnly) return entry
        const info = { readOnly: false, uuid: new Binary(collection.uuid, Binary.SUBTYPE_UUID) }
        return { ...entry, options: {}, info, idIndex: idIndexSpec() }
      })
      .filter(matches)
    return replyWithCursor(request, engine, '$cmd.listCollections', listed(entries.map(encode)), {
      batchSize: new Options(options.doc('cursor') ?? {}, 'listCollections.cursor').count('batchSize'),
    })
  },
}

const listDatabases: Command = {
  options: 'listDatabases filter nameOnly authorizedDatabases',
  admin: true,
  run(request, engine) {
    const { options } = request
    const matches = compileFilter(options.doc('filter') ?? {})
    const nameOnly = options.bool('nameOnly')
    const sizes = engine.catalog.databases().map(name => ({
      name,
      bytes: engine.catalog.collections(name).reduce((sum, collection) => sum + collection.dataBytes(), 0),
    }))
    const databases = sizes
      .map(({ name, bytes }): Doc => (nameOnly ? { name } : { name, sizeOnDisk: new Double(bytes), empty: false }))
      .filter(matches)
    if (nameOnly) return { databases }
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
    return { databases, totalSize: new Double(total), totalSizeMb: new Double(Math.floor(total / 2 ** 20)) }
  },
}

export const collectionCommands = { create, drop, dropDatabase, listCollections, listDatabases }
