import type { Document, ObjectId } from 'mongodb'

/** A document of a collection: any object type with an `_id`. */
export type Identified = Document & { _id: unknown }

/** A document to be inserted: `_id` may be left out if the driver makes an ObjectId. */
export type New<Doc extends Identified> = ObjectId extends Doc['_id']
  ? Omit<Doc, '_id'> & Partial<Pick<Doc, '_id'>>
  : Doc

/** Names of top-level fields. */
export type Field<Doc> = keyof Doc & string

/** A document of which only these fields were selected; `_id` is always included. */
export type Selected<Doc extends Identified, Name extends Field<Doc>> = Pick<Doc, Name | '_id'>

/** Sort order, the first field first: 1 ascending, -1 descending. */
type Order<Doc> = { readonly [Name in Field<Doc>]?: 1 | -1 }

export interface ReadOptions {
  /** Ends the operation; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** How to select and order the matching documents. */
export interface FindOptions<Doc, Name extends Field<Doc>> extends ReadOptions {
  /** Only these fields; default all. */
  readonly select?: readonly Name[] | undefined
  readonly sort?: Order<Doc> | undefined
}
