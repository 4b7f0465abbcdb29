import type { Document, ObjectId } from 'mongodb'

/** What a collection holds: any object type with an `_id`. */
export type Identified = Document & { _id: unknown }

/** A document that is to be inserted: `_id` may be left out where the driver makes an ObjectId. */
export type New<Doc extends Identified> = ObjectId extends Doc['_id']
  ? Omit<Doc, '_id'> & Partial<Pick<Doc, '_id'>>
  : Doc

/** Names of top-level fields. */
export type Field<Doc> = keyof Doc & string

/** What is left of a document when only these fields are asked for; `_id` always is. */
export type Selected<Doc extends Identified, Name extends Field<Doc>> = Pick<Doc, Name | '_id'>

/** Order of documents, the first field first: 1 up, -1 down. `_id` decides between equals. */
export type Order<Doc> = { readonly [Name in Field<Doc>]?: 1 | -1 }

export interface ReadOptions {
  /** Ends the operation; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Which fields to read; absent = all. */
interface SelectOptions<Doc, Name extends Field<Doc>> extends ReadOptions {
  /** Only these fields; default all. */
  readonly select?: readonly Name[] | undefined
}

/** Which of the documents that match, and in which order. */
export interface FindOptions<Doc, Name extends Field<Doc>> extends SelectOptions<Doc, Name> {
  readonly sort?: Order<Doc> | undefined
}
