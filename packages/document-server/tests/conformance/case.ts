import assert from 'node:assert/strict'
import { type Collection, type Db, type Document, type MongoClient, MongoServerError, type ObjectId } from 'mongodb'

/** Documents of tests have ids of several types. */
export interface Loose extends Document {
  _id?: string | number | number[] | ObjectId
}

export interface CaseContext {
  readonly client: MongoClient
  readonly db: Db
  /** A collection of this case alone, not yet made. */
  readonly collection: Collection<Loose>
}

/** Cases of one subject, by title; each runs against every server. */
export interface Cases {
  readonly subject: string
  readonly cases: Readonly<Record<string, (context: CaseContext) => Promise<void>>>
}

/** The ids a filter selects, sorted. */
export async function ids(collection: Collection<Loose>, filter: Document): Promise<unknown[]> {
  const found = await collection.find(filter).sort({ _id: 1 }).toArray()
  return found.map(doc => doc._id)
}

/** Asserts that the server refuses with this code. */
export async function refuses(code: number, action: Promise<unknown>): Promise<MongoServerError> {
  let caught: unknown
  await action.catch(error => {
    caught = error
  })
  assert.ok(caught instanceof MongoServerError, `expected error ${code}, got ${caught}`)
  assert.equal(caught.code, code, caught.message)
  return caught
}
