import { type Collection, type Document, type IndexDescription, MongoServerError } from 'mongodb'
import { isDuplicateKey, translate, translated } from './errors.ts'
import type { Identified } from './types.ts'

/** An index as the code declares it. */
export interface IndexDefinition<Doc extends Identified = Identified> {
  /** Default: MongoDB's, e.g. `status_1_publishedAt_-1`. */
  readonly name?: string
  /** The fields in order; nested ones by their path (`'author.name'`). The fields of a text index have the value `text`. */
  readonly key: Readonly<
    { [Name in keyof Doc & string]?: 1 | -1 | 'text' } & { [path: `${string}.${string}`]: 1 | -1 | 'text' }
  >
  readonly unique?: boolean
  readonly sparse?: boolean
  /** Documents are deleted this long after the date in the field. */
  readonly expireAfterSeconds?: number
  readonly partialFilterExpression?: Document
  /** For a text index: how much a field counts; default 1. */
  readonly weights?: Readonly<Record<string, number>>
}

function indexName({ name, key }: IndexDefinition): string {
  return (
    name ??
    Object.entries(key)
      .map(([field, kind]) => `${field}_${kind}`)
      .join('_')
  )
}

/**
 * The properties that make two indexes the same, as comparable text. The server lists a text index under the key `_fts` with
 * all its fields under `weights`, so both are converted to that form. The order of fields matters for an ordinary index, not
 * for weights.
 */
function indexShape(definition: IndexDefinition | Document): string {
  const key: Record<string, unknown> = { ...definition.key }
  const weights: Record<string, unknown> = {}
  for (const [field, kind] of Object.entries(key)) if (kind === 'text' && field !== '_fts') weights[field] = 1
  const isText = Object.values(key).includes('text')
  if (isText) Object.assign(weights, definition.weights)
  const ordinary = Object.entries(key).filter(([field, kind]) => kind !== 'text' && field !== '_ftsx')
  return JSON.stringify([
    ordinary.map(([field, kind]) => [field, Number(kind)]),
    Object.entries(weights)
      .map(([field, weight]) => [field, Number(weight)])
      .sort(),
    definition.unique === true,
    definition.sparse === true,
    definition.expireAfterSeconds ?? null,
    definition.partialFilterExpression ?? null,
  ])
}

/**
 * An index can't be created as declared. Somebody has to look at it; trying again does not help.
 *
 * @example
 * try {
 *   await mongo.ensureIndexes()
 * } catch (error) {
 *   if (error instanceof IndexError) process.exitCode = 1
 *   throw error
 * }
 */
export class IndexError extends Error {
  override readonly name = 'IndexError'
  /** `conflict`: another index has that name or those fields. `duplicates`: documents violate a unique index. */
  readonly reason: 'conflict' | 'duplicates'
  readonly collection: string
  readonly index: string

  constructor(reason: 'conflict' | 'duplicates', collection: string, index: string, options?: ErrorOptions) {
    super(
      reason === 'conflict'
        ? `index ${index} of ${collection} exists in another form: drop it or rename the new one`
        : `index ${index} of ${collection} can't be made unique: there are documents with equal values`,
      options,
    )
    this.reason = reason
    this.collection = collection
    this.index = index
  }
}

/** IndexOptionsConflict and IndexKeySpecsConflict */
const conflictCodes = new Set<unknown>([85, 86])
const namespaceNotFound = 26

/** @returns the names of the indexes that were missing when this call looked */
export async function ensureIndexes(
  collection: Collection<Document>,
  definitions: readonly IndexDefinition[],
): Promise<{ readonly created: readonly string[] }> {
  const existing = await list(collection)
  const missing = definitions.filter(definition => !exists(collection.collectionName, definition, existing))
  for (const definition of missing) await create(collection, definition)
  return { created: missing.map(indexName) }
}

function exists(collection: string, definition: IndexDefinition, existing: readonly Document[]): boolean {
  const name = indexName(definition)
  const named = existing.find(index => index.name === name)
  if (named === undefined) return false
  if (indexShape(named) !== indexShape(definition)) throw new IndexError('conflict', collection, name)
  return true
}

/** Another instance may have created it since we looked; for the server, creating the same index again is not an error. */
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
    // A collection is created with its first document or index.
    if (error instanceof MongoServerError && error.code === namespaceNotFound) return []
    throw error
  }
}
