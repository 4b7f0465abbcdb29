import { type Collection, type Document, type IndexDescription, MongoServerError } from 'mongodb'
import { isDuplicateKey, translate, translated } from './errors.ts'
import { type IndexDefinition, indexName, indexShape } from './index-definition.ts'
import { IndexError } from './index-error.ts'

/** IndexOptionsConflict and IndexKeySpecsConflict */
const conflictCodes = new Set<unknown>([85, 86])
const namespaceNotFound = 26

/** @returns the names of those that were missing when this call looked */
export async function ensureIndexes(
  collection: Collection<Document>,
  definitions: readonly IndexDefinition[],
): Promise<{ readonly created: readonly string[] }> {
  const existing = await list(collection)
  const missing = definitions.filter(definition => !isThere(collection.collectionName, definition, existing))
  for (const definition of missing) await create(collection, definition)
  return { created: missing.map(indexName) }
}

function isThere(collection: string, definition: IndexDefinition, existing: readonly Document[]): boolean {
  const name = indexName(definition)
  const named = existing.find(index => index.name === name)
  if (named === undefined) return false
  if (indexShape(named) !== indexShape(definition)) throw new IndexError('conflict', collection, name)
  return true
}

/** Another instance may have made it since we looked: making the same one again is no error for the server. */
async function create(collection: Collection<Document>, definition: IndexDefinition): Promise<void> {
  const name = indexName(definition)
  try {
    await collection.createIndexes([{ ...definition, name } as unknown as IndexDescription])
  } catch (error) {
    if (error instanceof MongoServerError && conflictCodes.has(error.code)) {
      throw new IndexError('conflict', collection.collectionName, name, { cause: error })
    }
    if (isDuplicateKey(error)) throw new IndexError('duplicates', collection.collectionName, name, { cause: error })
    throw translate(error)
  }
}

async function list(collection: Collection<Document>): Promise<Document[]> {
  try {
    return await translated(() => collection.listIndexes().toArray())
  } catch (error) {
    // a collection comes into being with its first document or index
    if (error instanceof MongoServerError && error.code === namespaceNotFound) return []
    throw error
  }
}
