import type { Doc } from '../bson/document.ts'
import { parsePath, reachedValues } from '../query/path.ts'
import type { Catalog } from './catalog.ts'
import type { Collection } from './collection.ts'
import type { Database } from './database.ts'
import type { Index } from './index-definition.ts'

/** Deletes what TTL indexes declare expired. Scans the collections that have such an index. */
export function deleteExpired(database: Database, catalog: Catalog, now = Date.now()): number {
  let deleted = 0
  for (const collection of catalog.collections())
    for (const index of collection.indexes)
      if (index.expireAfterSeconds !== undefined) deleted += sweep(database, collection, index, now)
  return deleted
}

function sweep(database: Database, collection: Collection, index: Index, now: number): number {
  const before = now - (index.expireAfterSeconds ?? 0) * 1000
  const rows = [...collection.scan()].filter(row => isExpired(row.doc, index, before))
  if (rows.length > 0) database.write(() => rows.forEach(row => void collection.remove(row)))
  return rows.length
}

/** The earliest date counts when the field holds several; a document without a date never expires. */
function isExpired(doc: Doc, index: Index, before: number): boolean {
  if (index.partial && !index.partial(doc)) return false
  const [field] = Object.keys(index.key)
  return (
    field !== undefined &&
    reachedValues(doc, parsePath(field)).some(value => value instanceof Date && value.getTime() <= before)
  )
}
