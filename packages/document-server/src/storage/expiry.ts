import type { Doc } from '../bson/document.ts'
import type { Pace } from '../pace.ts'
import { parsePath, reachedValues } from '../query/path.ts'
import type { Catalog } from './catalog.ts'
import type { Collection } from './collection.ts'
import type { Database } from './database.ts'
import type { Index } from './index-definition.ts'

/** Deletes what TTL indexes declare expired. Scans the collections that have such an index, with turns for commands. */
export async function deleteExpired(database: Database, catalog: Catalog, pace: Pace, now = Date.now()): Promise<void> {
  for (const collection of catalog.collections())
    for (const index of [...collection.indexes])
      if (index.expireAfterSeconds !== undefined && !collection.dropped)
        await sweep(database, collection, index, pace, now)
}

/** The scan of a collection that is dropped meanwhile throws. */
async function sweep(database: Database, collection: Collection, index: Index, pace: Pace, now: number): Promise<void> {
  const before = now - (index.expireAfterSeconds ?? 0) * 1000
  for (const row of collection.scan()) {
    if (pace.tick()) await pace.pause()
    if (collection.dropped || !isExpired(row.doc, index, before)) continue
    database.write(() => {
      const fresh = collection.byRid(row.rid)
      if (fresh && isExpired(fresh.doc, index, before)) collection.remove(fresh)
    })
  }
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
