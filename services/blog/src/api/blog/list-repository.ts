import { type Filter, ObjectId } from 'mongodb'
import type { Mongo, QueryBuilder } from 'tsmicro/mongo'
import {
  type Blog,
  type BlogSummary,
  type PrivateBlogSummary,
  type Publication,
  privateSummaryFields,
  summaryFields,
} from './model.ts'
import { PUBLIC } from './repository.ts'

/** A page of a list. Pages are numbered from 1. */
export interface Page {
  readonly page: number
  readonly limit: number
}

/** Where a blog is among published ones; without an id, after all that were published at that time. */
export type Place = Pick<Publication, 'publishedAt'> & Partial<Publication>

/** The flags by which blogs are listed. */
export type State = 'drafted' | 'submitted' | 'published'

/** Blogs that are read at once for a list without pages. */
const BATCH = 200

const NEWEST_FIRST = { publishedAt: -1, _id: -1 } as const
const OLDEST_FIRST = { publishedAt: 1, _id: 1 } as const
const NEWEST_CHANGE_FIRST = { updatedAt: -1, _id: -1 } as const

/** Lists of the collection `blogs`. Every order is total: `_id` decides between equals. For their indexes see database/indexes.ts. */
export class BlogListRepository {
  readonly #blogs: QueryBuilder<Blog>

  constructor(mongo: Mongo) {
    this.#blogs = mongo.collection<Blog>('blogs')
  }

  /** Published blogs, all or those with a tag, newest first, starting after the publication `last`. */
  async published(
    tag: string | undefined,
    last: Publication | undefined,
    { page, limit }: Page,
    signal?: AbortSignal,
  ): Promise<BlogSummary[]> {
    const filter: Filter<Blog> = {
      ...PUBLIC,
      ...(tag === undefined ? {} : { 'public.tags': tag }),
      ...(last ? after(last) : {}),
    }
    const wanted = { filter, sort: NEWEST_FIRST, select: summaryFields, page, limit, signal }
    return (await this.#blogs.findPaginated(wanted)).items
  }

  /** Published blogs that come after a publication, the oldest first, as far as they were published at or before `until`. */
  async publishedAfter(
    { publishedAt, _id }: Place,
    until: Date,
    limit: number,
    signal?: AbortSignal,
  ): Promise<(BlogSummary & Publication)[]> {
    const later: Filter<Blog>[] = [
      { publishedAt: { $gt: publishedAt } },
      ...(_id ? [{ publishedAt, _id: { $gt: _id } }] : []),
    ]
    const filter: Filter<Blog> = { ...PUBLIC, publishedAt: { $gte: publishedAt, $lte: until }, $or: later }
    const select = [...summaryFields, 'publishedAt'] as const
    return (await this.#blogs.find(filter, { sort: OLDEST_FIRST, select, limit, signal })) as (BlogSummary &
      Publication)[]
  }

  /** The public blog that was published last, of those that were published at or before `until`. */
  async newest(until: Date): Promise<(BlogSummary & Publication) | null> {
    const filter: Filter<Blog> = { ...PUBLIC, publishedAt: { $lte: until } }
    const select = [...summaryFields, 'publishedAt'] as const
    return (await this.#blogs.findOne(filter, { sort: NEWEST_FIRST, select })) as (BlogSummary & Publication) | null
  }

  /** Blogs in a state, of one author or of all, most recently changed first. */
  async inState(
    state: State,
    author: string | undefined,
    { page, limit }: Page,
    signal?: AbortSignal,
  ): Promise<PrivateBlogSummary[]> {
    const filter: Filter<Blog> = { status: true, [state]: true, ...(author === undefined ? {} : { author }) }
    const wanted = { filter, sort: NEWEST_CHANGE_FIRST, select: privateSummaryFields, page, limit, signal }
    return (await this.#blogs.findPaginated(wanted)).items
  }

  /** All blogs of an author in batches, oldest first. Each batch is read when it is wanted, so a slow reader keeps no cursor open. */
  async *allOf(author: string, signal?: AbortSignal): AsyncGenerator<PrivateBlogSummary[]> {
    let last: ObjectId | undefined
    do {
      const filter: Filter<Blog> = { status: true, author, ...(last ? { _id: { $gt: last } } : {}) }
      const options = { sort: { _id: 1 }, select: privateSummaryFields, limit: BATCH, signal } as const
      const batch = await this.#blogs.find(filter, options)
      if (batch.length > 0) yield batch
      last = batch.length < BATCH ? undefined : batch.at(-1)?._id
    } while (last)
  }

  /**
   * Published blogs that have any of the words in title or description, best match first, then newest.
   * @param words separated by spaces, without `"` and `-`, which are operators of a `$text` search
   * @param except id of a blog to leave out
   */
  matching(words: string, { page, limit }: Page, except?: string, signal?: AbortSignal): Promise<BlogSummary[]> {
    const others = except === undefined ? {} : { _id: { $ne: new ObjectId(except) } }
    return this.#blogs.aggregate<BlogSummary>(
      [
        { $match: { ...PUBLIC, ...others, $text: { $search: words } } },
        { $sort: { relevance: { $meta: 'textScore' }, ...NEWEST_FIRST } },
        { $skip: (page - 1) * limit },
        { $limit: limit },
        { $project: Object.fromEntries(summaryFields.map(field => [field, 1])) },
      ],
      { signal },
    )
  }
}

/** What follows in `NEWEST_FIRST`. */
function after({ publishedAt, _id }: Publication): Filter<Blog> {
  return { $or: [{ publishedAt: { $lt: publishedAt } }, { publishedAt, _id: { $lt: _id } }] }
}
