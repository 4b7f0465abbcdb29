import type { Collection, Document, Filter, OptionalUnlessRequiredId, Sort, UpdateFilter } from 'mongodb'
import { translated } from './errors.ts'
import { assertNoPrograms } from './guard.ts'
import { ensureIndexes, type IndexDefinition } from './indexes.ts'
import type { Field, FindOptions, Identified, New, ReadOptions, Selected } from './types.ts'

/** A page by number: `items` is shorter than `limit` on the last one. */
export interface Page<Item> {
  readonly items: Item[]
  readonly page: number
  readonly limit: number
}

interface QueryBuilderOptions<Doc extends Identified> {
  readonly indexes?: readonly IndexDefinition<Doc>[]
  /** Longest run of a read or of `findOneAndUpdate` on the server, in milliseconds. */
  readonly operationTimeoutMs?: number
  /** Ends reads that are not given a signal. */
  readonly currentSignal?: (() => AbortSignal | undefined) | undefined
}

/**
 * Typed access to one collection. Filters are written in code and typed by the document: a field of type string takes a string
 * or operators on strings. Values from outside are checked by their schema; where no schema says that a value is plain,
 * `literal(value)` does. Failures are `SERVICE_UNAVAILABLE`, `DEADLINE_EXCEEDED`, or recognised by `isDuplicateKey`.
 *
 * @example
 * const drafts: QueryBuilder<Blog> = mongo.collection<Blog>('drafts')
 * const first: Page<Blog> = await drafts.findPaginated({ filter: { author: userId }, sort: { slug: 1 }, page: 1, limit: 10 })
 * const shown: readonly Field<Blog>[] = ['title', 'author']
 * const titles: Selected<Blog, Field<Blog>>[] = await drafts.find({ title: { $ne: '' } }, { select: shown, limit: 5 })
 */
export class QueryBuilder<Doc extends Identified> {
  /** The driver's collection, for everything else. Wrap calls in `run`, or you get the driver's errors untranslated. */
  readonly collection: Collection<Doc>
  readonly #indexes: readonly IndexDefinition<Doc>[]
  readonly #limits: { readonly maxTimeMS?: number }
  readonly #currentSignal: () => AbortSignal | undefined

  constructor(collection: Collection<Doc>, options: QueryBuilderOptions<Doc> = {}) {
    this.collection = collection
    this.#indexes = options.indexes ?? []
    this.#limits = options.operationTimeoutMs === undefined ? {} : { maxTimeMS: options.operationTimeoutMs }
    this.#currentSignal = options.currentSignal ?? (() => undefined)
  }

  /** Runs an operation on the driver's collection and translates its failures. */
  run<T>(operation: (collection: Collection<Doc>) => Promise<T>): Promise<T> {
    return translated(() => operation(this.collection))
  }

  async findOne<Name extends Field<Doc> = Field<Doc>>(
    filter: Filter<Doc>,
    options: FindOptions<Doc, Name> = {},
  ): Promise<Selected<Doc, Name> | null> {
    const [first] = await this.find(filter, { ...options, limit: 1 })
    return first ?? null
  }

  /** All matching documents, or `limit` of them after `skip`. */
  find<Name extends Field<Doc> = Field<Doc>>(
    filter: Filter<Doc>,
    options: FindOptions<Doc, Name> & { readonly skip?: number; readonly limit?: number } = {},
  ): Promise<Selected<Doc, Name>[]> {
    assertNoPrograms(filter)
    const { select, sort, skip, limit, signal = this.#currentSignal() } = options
    return this.run(collection =>
      collection
        .find<Selected<Doc, Name>>(filter, {
          ...this.#limits,
          ...projection(select),
          ...(sort && { sort: sort as Sort }),
          ...(skip !== undefined && { skip }),
          ...(limit !== undefined && { limit }),
          ...(signal && { signal }),
        })
        .toArray(),
    )
  }

  /**
   * A page by number, from 1. Equal documents are ordered by `_id`. High numbers are slow, as all documents before the page are
   * read.
   * @throws {RangeError} unless page and limit are whole numbers from 1
   */
  async findPaginated<Name extends Field<Doc> = Field<Doc>>(
    request: FindOptions<Doc, Name> & { readonly filter: Filter<Doc>; readonly page: number; readonly limit: number },
  ): Promise<Page<Selected<Doc, Name>>> {
    const { filter, page, limit, sort = {}, ...options } = request
    atLeastOne('page', page)
    atLeastOne('limit', limit)
    // Otherwise equal documents may change places from page to page. In the direction of the last field, so that one index
    // serves all.
    const direction = Object.values<1 | -1 | undefined>(sort).at(-1) ?? 1
    const total = Object.hasOwn(sort, '_id') ? sort : { ...sort, _id: direction }
    const items = await this.find(filter, { ...options, sort: total, skip: (page - 1) * limit, limit })
    return { items, page, limit }
  }

  /** @returns the document with its `_id`. @throws an error that `isDuplicateKey` recognises */
  async insertOne(document: New<Doc>): Promise<Doc> {
    const copy = { ...document } as OptionalUnlessRequiredId<Doc>
    const { insertedId } = await this.run(collection => collection.insertOne(copy))
    return { ...document, _id: insertedId } as unknown as Doc
  }

  /** `inserted` is true if an upsert inserted a document. */
  async updateOne(
    filter: Filter<Doc>,
    update: UpdateFilter<Doc>,
    options: { readonly upsert?: boolean } = {},
  ): Promise<{ readonly matched: number; readonly modified: number; readonly inserted: boolean }> {
    assertNoPrograms(filter)
    const result = await this.run(collection => collection.updateOne(filter, update, { ...options }))
    return {
      matched: result.matchedCount,
      modified: result.modifiedCount,
      inserted: result.upsertedCount > 0,
    }
  }

  /** Changes one document and returns it as it is after the change, or as it was before; null if none matched. */
  async findOneAndUpdate<Name extends Field<Doc> = Field<Doc>>(
    filter: Filter<Doc>,
    update: UpdateFilter<Doc>,
    options: FindOptions<Doc, Name> & { readonly returnDocument?: 'before' | 'after'; readonly upsert?: boolean } = {},
  ): Promise<Selected<Doc, Name> | null> {
    assertNoPrograms(filter)
    const { select, sort, returnDocument = 'after', upsert = false, signal } = options
    signal?.throwIfAborted()
    const found = await this.run(collection =>
      collection.findOneAndUpdate(filter, update, {
        ...this.#limits,
        ...projection(select),
        ...(sort && { sort: sort as Sort }),
        returnDocument,
        upsert,
      }),
    )
    return found as Selected<Doc, Name> | null
  }

  /** @returns whether a document was deleted */
  async deleteOne(filter: Filter<Doc>): Promise<boolean> {
    assertNoPrograms(filter)
    return (await this.run(collection => collection.deleteOne(filter))).deletedCount > 0
  }

  count(filter: Filter<Doc>, { signal = this.#currentSignal() }: ReadOptions = {}): Promise<number> {
    assertNoPrograms(filter)
    return this.run(collection => collection.countDocuments(filter, { ...this.#limits, ...(signal && { signal }) }))
  }

  /** Runs a pipeline written in code. `Item` is the type of the results, which is not checked. */
  aggregate<Item extends Document>(
    pipeline: readonly Document[],
    { signal = this.#currentSignal() }: ReadOptions = {},
  ): Promise<Item[]> {
    assertNoPrograms(pipeline)
    return this.run(collection =>
      collection.aggregate<Item>([...pipeline], { ...this.#limits, ...(signal && { signal }) }).toArray(),
    )
  }

  /**
   * Creates the missing indexes, and leaves all others alone. Safe if several instances start at the same time.
   * @throws {IndexError} if an index with the same name or fields is different, or existing documents violate a unique one
   */
  ensureIndexes(): Promise<{ readonly created: readonly string[] }> {
    return ensureIndexes(
      this.collection as unknown as Collection<Document>,
      this.#indexes as readonly IndexDefinition[],
    )
  }
}

/** The driver's projection for a list of field names. */
function projection(names: readonly string[] | undefined): { projection?: Document } {
  return names ? { projection: Object.fromEntries(['_id', ...names].map(name => [name, 1])) } : {}
}

function atLeastOne(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number from 1`)
}
