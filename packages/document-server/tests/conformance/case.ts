import assert from 'node:assert/strict'
import { type Collection, type Db, type Document, type MongoClient, MongoServerError, type ObjectId } from 'mongodb'

/** The documents of the tests have ids of several types. */
export interface Loose extends Document {
  _id?: string | number | number[] | ObjectId
}

export interface CaseContext {
  readonly client: MongoClient
  readonly db: Db
  /** A collection for this case alone, which does not exist yet. */
  readonly collection: Collection<Loose>
}

/** The cases of one subject, by title. Each runs against every server. */
export interface Cases {
  readonly subject: string
  readonly cases: Readonly<Record<string, (context: CaseContext) => Promise<void>>>
}

/** The sorted ids that a filter selects. */
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
