import type { Document } from 'mongodb'
import type { Identified } from './types.ts'

/** An index as code wants it. */
export interface IndexDefinition<Doc extends Identified = Identified> {
  /** Default: MongoDB's, e.g. `status_1_publishedAt_-1`. */
  readonly name?: string
  /** Fields in order, by paths (`'author.name'`) where they are deeper. A text index names its fields with `text`. */
  readonly key: Readonly<
    { [Name in keyof Doc & string]?: 1 | -1 | 'text' } & { [path: `${string}.${string}`]: 1 | -1 | 'text' }
  >
  readonly unique?: boolean
  readonly sparse?: boolean
  /** Documents go this long after the date in the field. */
  readonly expireAfterSeconds?: number
  readonly partialFilterExpression?: Document
  /** Of a text index: how much a field counts; default 1. */
  readonly weights?: Readonly<Record<string, number>>
}

export function indexName({ name, key }: IndexDefinition): string {
  return (
    name ??
    Object.entries(key)
      .map(([field, kind]) => `${field}_${kind}`)
      .join('_')
  )
}

/**
 * What makes two indexes the same, as comparable text. The server lists a text index by the key `_fts` with all its fields
 * under `weights`, so both are brought to that form. The order of fields counts for an ordinary index and not for weights.
 */
export function indexShape(definition: IndexDefinition | Document): string {
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
