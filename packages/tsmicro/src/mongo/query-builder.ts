import type { Collection, Document, Filter, OptionalUnlessRequiredId, Sort, UpdateFilter } from 'mongodb'
import { type Carried, type Carrying, type CarryOptions, carry, DURABLE, type Outcome } from './carried.ts'
import { translated } from './errors.ts'
import { assertNoPrograms } from './guard.ts'
import { ensureIndexes, type IndexDefinition } from './indexes.ts'
import {
  assertOpenFilter,
  assertOpenUpdate,
  assertUnreserved,
  hiding,
  hidingCollection,
  keeping,
  SHOWN,
} from './reserved.ts'
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
  /** The kind of aggregate that its documents are. */
  readonly aggregate?: string | undefined
  /** Called after a change with events. */
  readonly committed?: () => void
}

/** Operators, or a pipeline in which the server computes the new values. */
type Update<Doc> = UpdateFilter<Doc> | readonly Document[]

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
  /**
   * The driver's collection, for everything else. Wrap calls in `run`, or you get the driver's errors untranslated. Its reads do not show the
   * reserved fields `_outbox` and `_inbox`, and of aggregates it deletes and replaces nothing.
   */
  readonly collection: Collection<Doc>
  readonly #carrying: Carrying
  readonly #indexes: readonly IndexDefinition<Doc>[]
  readonly #limits: { readonly maxTimeMS?: number }
  readonly #currentSignal: () => AbortSignal | undefined

  constructor(collection: Collection<Doc>, options: QueryBuilderOptions<Doc> = {}) {
    const { aggregate, committed = () => {} } = options
    this.collection = hidingCollection(collection, aggregate !== undefined)
    this.#carrying = { collection: collection as never, aggregate, committed }
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
    assertOpen(filter)
    const { select, sort, skip, limit, signal = this.#currentSignal() } = options
    return this.#raw(collection =>
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
  async insertOne(document: New<Doc>, options: CarryOptions = {}): Promise<Doc> {
    for (const name of Object.keys(document)) assertUnreserved(name)
    const insert = (copy: Document, durable = {}) =>
      this.#raw(collection => collection.insertOne(copy as OptionalUnlessRequiredId<Doc>, durable))
    if (options.change || options.event) {
      await this.#carry(options, { _id: document._id }, carried => insert(carried.document(document), DURABLE))
      return { ...document } as unknown as Doc
    }
    const { insertedId } = await insert({ ...document })
    return { ...document, _id: insertedId } as unknown as Doc
  }

  /** `inserted` is true if an upsert inserted a document. */
  async updateOne(
    filter: Filter<Doc>,
    update: Update<Doc>,
    { upsert = false, ...options }: { readonly upsert?: boolean } & CarryOptions = {},
  ): Promise<{ readonly matched: number; readonly modified: number; readonly inserted: boolean }> {
    assertOpen(filter, update)
    const write = async (where: Filter<Doc>, what: Update<Doc>, durable = {}) => {
      const result = await this.#raw(collection =>
        collection.updateOne(where, what as Document[], { upsert, ...durable }),
      )
      const { matchedCount: matched, modifiedCount: modified } = result
      return { matched, modified, inserted: result.upsertedCount > 0 }
    }
    if (!options.change && !options.event) return write(filter, kept(update))
    const outcome = await this.#carry(options, { _id: filter._id, filter }, async carried => {
      const result = await write(carried.filter(filter) as Filter<Doc>, carried.update(update) as Update<Doc>, DURABLE)
      return result.matched > 0 || result.inserted ? result : undefined
    })
    if (outcome === 'unmatched') return { matched: 0, modified: 0, inserted: false }
    return 'applied' in outcome ? outcome.applied : { matched: 1, modified: 0, inserted: false }
  }

  /** Changes one document and returns it as it is after the change, or as it was before; null if none matched. */
  async findOneAndUpdate<Name extends Field<Doc> = Field<Doc>>(
    filter: Filter<Doc>,
    update: Update<Doc>,
    options: FindOptions<Doc, Name> & {
      readonly returnDocument?: 'before' | 'after'
      readonly upsert?: boolean
    } & CarryOptions = {},
  ): Promise<Selected<Doc, Name> | null> {
    assertOpen(filter, update)
    const { select, sort, returnDocument = 'after', upsert = false, signal, change, event } = options
    signal?.throwIfAborted()
    const write = (where: Filter<Doc>, what: Update<Doc>, durable = {}) =>
      this.#raw(collection =>
        collection.findOneAndUpdate(where, what as Document[], {
          ...this.#limits,
          ...projection(select),
          ...(sort && { sort: sort as Sort }),
          returnDocument,
          upsert,
          includeResultMetadata: true,
          ...durable,
        }),
      )
    if (!change && !event) return (await write(filter, kept(update))).value as Selected<Doc, Name> | null
    const outcome = await this.#carry({ change, event }, { _id: filter._id, filter }, async carried => {
      const result = await write(carried.filter(filter) as Filter<Doc>, carried.update(update) as Update<Doc>, DURABLE)
      return result.lastErrorObject?.n > 0 ? result : undefined
    })
    if (outcome === 'unmatched') return null
    if ('applied' in outcome) return outcome.applied.value as Selected<Doc, Name> | null
    return this.findOne({ _id: filter._id } as Filter<Doc>, { select, signal })
  }

  /** Not for aggregates: the numbers of their events would begin again. Mark those as deleted. @returns whether a document was deleted */
  async deleteOne(filter: Filter<Doc>): Promise<boolean> {
    assertOpen(filter)
    return (await this.run(collection => collection.deleteOne(filter))).deletedCount > 0
  }

  count(filter: Filter<Doc>, { signal = this.#currentSignal() }: ReadOptions = {}): Promise<number> {
    assertOpen(filter)
    return this.#raw(collection => collection.countDocuments(filter, { ...this.#limits, ...(signal && { signal }) }))
  }

  /** Runs a pipeline written in code. `Item` is the type of the results, which is not checked. */
  aggregate<Item extends Document>(
    pipeline: readonly Document[],
    { signal = this.#currentSignal() }: ReadOptions = {},
  ): Promise<Item[]> {
    assertNoPrograms(pipeline)
    return this.#raw(collection =>
      collection.aggregate<Item>(hiding(pipeline), { ...this.#limits, ...(signal && { signal }) }).toArray(),
    )
  }

  /**
   * Creates the missing indexes, and leaves all others alone. Safe if several instances start at the same time.
   * @throws {IndexError} if an index with the same name or fields is different, or existing documents violate a unique one
   */
  ensureIndexes(): Promise<{ readonly created: readonly string[] }> {
    return ensureIndexes(this.#carrying.collection, this.#indexes as readonly IndexDefinition[])
  }

  #raw<T>(operation: (collection: Collection<Doc>) => Promise<T>): Promise<T> {
    return translated(() => operation(this.#carrying.collection as unknown as Collection<Doc>))
  }

  #carry<T>(
    options: CarryOptions,
    target: { readonly _id?: unknown; readonly filter?: Document },
    write: (carried: Carried) => Promise<T | undefined>,
  ): Promise<Outcome<T>> {
    return translated(() => carry(this.#carrying, options, target, write))
  }
}

function assertOpen(filter: Document, update?: Document | readonly Document[]): void {
  assertNoPrograms(filter)
  assertOpenFilter(filter)
  if (update === undefined) return
  if (Array.isArray(update)) assertNoPrograms(update)
  assertOpenUpdate(update)
}

/** A pipeline may make a new document. */
function kept<Doc>(update: Update<Doc>): Update<Doc> {
  return Array.isArray(update) ? keeping(update) : update
}

/** The driver's projection for a list of field names. */
function projection(names: readonly string[] | undefined): { projection: Document } {
  if (!names) return { projection: SHOWN }
  for (const name of names) assertUnreserved(name)
  return { projection: Object.fromEntries(['_id', ...names].map(name => [name, 1])) }
}

function atLeastOne(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number from 1`)
}
