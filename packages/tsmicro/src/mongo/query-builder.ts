import type { Collection, Document, Filter, OptionalUnlessRequiredId, Sort, UpdateFilter } from 'mongodb'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { translated } from './errors.ts'
import { assertNoPrograms } from './guard.ts'
import type { IndexDefinition } from './indexes.ts'
import { ensureIndexes } from './indexes.ts'
import { after } from './keyset.ts'
import { type FullOrder, fullOrder } from './order.ts'
import { pick, projection } from './projection.ts'
import type { Field, FindOptions, Identified, New, ReadOptions, Selected } from './types.ts'

/** A page by number: `items` is shorter than `limit` on the last one. */
export interface Page<Item> {
  readonly items: Item[]
  readonly page: number
  readonly limit: number
}

/** A page by place: `nextCursor` is null on the last one. */
export interface Slice<Item> {
  readonly items: Item[]
  readonly nextCursor: string | null
}

/** What a query builder needs to know of its collection. */
export interface QueryBuilderOptions<Doc extends Identified> {
  readonly indexes?: readonly IndexDefinition<Doc>[]
  /** Longest run of a read or of `findOneAndUpdate` on the server, in milliseconds. */
  readonly operationTimeoutMs?: number
  /** What ends reads that are given no signal. */
  readonly currentSignal?: () => AbortSignal | undefined
}

/**
 * Typed access to one collection. Filters are written by code and typed by the document: a field of type string takes a
 * string or operators on strings. Values from outside are what their schema made them; where no schema says that a value
 * is plain, `literal(value)` does. Failures are `SERVICE_UNAVAILABLE`, `DEADLINE_EXCEEDED`, or recognised by `isDuplicateKey`.
 *
 * @example
 * const drafts: QueryBuilder<Blog> = mongo.collection<Blog>('drafts')
 * const first: Page<Blog> = await drafts.findPaginated({ filter: { author: userId }, sort: { slug: 1 }, page: 1, limit: 10 })
 * const shown: readonly Field<Blog>[] = ['title', 'author']
 * const titles: Selected<Blog, Field<Blog>>[] = await drafts.find({ title: { $ne: '' } }, { select: shown, limit: 5 })
 * const next: Slice<Selected<Blog, 'title'>> = await drafts.findAfter({
 *   ...{ filter: {}, sort: { slug: 1 }, limit: 10, select: ['title'] },
 * })
 */
export class QueryBuilder<Doc extends Identified> {
  /** The driver's collection, for what is not here; wrap calls in `run`, or the driver's errors come as they are. */
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

  /** Runs anything on the driver's collection, with failures translated. */
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

  /** All that match, or `limit` of them after `skip`. */
  find<Name extends Field<Doc> = Field<Doc>>(
    filter: Filter<Doc>,
    options: FindOptions<Doc, Name> & { readonly skip?: number; readonly limit?: number } = {},
  ): Promise<Selected<Doc, Name>[]> {
    const order = options.sort === undefined ? undefined : Object.entries(options.sort)
    return this.#find<Selected<Doc, Name>>(filter, order as FullOrder | undefined, options)
  }

  /**
   * A page by number, from 1. Simple, and slow for high numbers, as all before is read: `findAfter` is not.
   * @throws {RangeError} unless page and limit are whole numbers from 1
   */
  async findPaginated<Name extends Field<Doc> = Field<Doc>>(
    request: FindOptions<Doc, Name> & { readonly filter: Filter<Doc>; readonly page: number; readonly limit: number },
  ): Promise<Page<Selected<Doc, Name>>> {
    const { filter, page, limit, sort, ...options } = request
    atLeastOne('page', page)
    atLeastOne('limit', limit)
    const skip = (page - 1) * limit
    const items = await this.#find<Selected<Doc, Name>>(filter, fullOrder(sort), { ...options, skip, limit })
    return { items, page, limit }
  }

  /**
   * The page after a place: equally fast everywhere, and nothing is missed or seen twice when documents come and go.
   * Sort fields must hold plain values, dates or ObjectIds of one type each; null and missing come first.
   * @throws {CursorError} for a cursor that is none of this list
   * @throws {RangeError} unless the limit is a whole number from 1
   */
  async findAfter<Name extends Field<Doc> = Field<Doc>>(
    request: FindOptions<Doc, Name> & {
      readonly filter: Filter<Doc>
      /** `nextCursor` of the page before; without it, the first page. */
      readonly cursor?: string | null | undefined
      readonly limit: number
    },
  ): Promise<Slice<Selected<Doc, Name>>> {
    const { filter, cursor, limit, sort, select, signal } = request
    atLeastOne('limit', limit)
    const order = fullOrder(sort)
    const fields = order.map(([field]) => field)
    const rest = cursor ? ({ $and: [filter, after(order, decodeCursor(order, cursor))] } as Filter<Doc>) : filter
    const found = await this.#find<Document>(rest, order, {
      select: select && [...select, ...fields],
      limit: limit + 1,
      signal,
    })
    const items = found.slice(0, limit)
    const last = found.length > limit ? items.at(-1) : undefined
    return {
      items: items.map(item => pick(item, select)) as Selected<Doc, Name>[],
      nextCursor:
        last === undefined
          ? null
          : encodeCursor(
              order,
              fields.map(field => last[field]),
            ),
    }
  }

  /** @returns the document with its `_id`. @throws what `isDuplicateKey` recognises */
  async insertOne(document: New<Doc>): Promise<Doc> {
    const copy = { ...document } as OptionalUnlessRequiredId<Doc>
    const { insertedId } = await this.run(collection => collection.insertOne(copy))
    return { ...document, _id: insertedId } as unknown as Doc
  }

  /** `inserted` is true when an upsert inserted a document. */
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

  /** Changes one document and returns it, as it is after the change or as it was before; null when none matched. */
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

  /** @returns whether there was one */
  async deleteOne(filter: Filter<Doc>): Promise<boolean> {
    assertNoPrograms(filter)
    return (await this.run(collection => collection.deleteOne(filter))).deletedCount > 0
  }

  count(filter: Filter<Doc>, { signal = this.#currentSignal() }: ReadOptions = {}): Promise<number> {
    assertNoPrograms(filter)
    return this.run(collection => collection.countDocuments(filter, { ...this.#limits, ...(signal && { signal }) }))
  }

  /** Runs a pipeline written by code. `Item` is what comes out of it, taken on trust. */
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
   * Creates the indexes that are missing. Others are left alone. Safe when several instances start at once.
   * @throws {IndexError} when one of that name or on those fields is different, or existing documents break a unique one
   */
  ensureIndexes(): Promise<{ readonly created: readonly string[] }> {
    return ensureIndexes(
      this.collection as unknown as Collection<Document>,
      this.#indexes as readonly IndexDefinition[],
    )
  }

  #find<Item extends Document>(
    filter: Filter<Doc>,
    order: FullOrder | undefined,
    options: ReadOptions & { select?: readonly string[] | undefined; skip?: number; limit?: number },
  ): Promise<Item[]> {
    assertNoPrograms(filter)
    const { select, skip, limit, signal = this.#currentSignal() } = options
    return this.run(collection =>
      collection
        .find<Item>(filter, {
          ...this.#limits,
          ...projection(select),
          ...(order && { sort: order.map(([field, direction]) => [field, direction]) as [string, 1 | -1][] }),
          ...(skip !== undefined && { skip }),
          ...(limit !== undefined && { limit }),
          ...(signal && { signal }),
        })
        .toArray(),
    )
  }
}

function atLeastOne(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number from 1`)
}
