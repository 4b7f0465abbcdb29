import type { ObjectId } from 'mongodb'

/** A blog as it is stored in the collection `blogs`. */
export interface Blog {
  readonly _id: ObjectId
  readonly title: string
  readonly description: string
  /** The public text: the draft as it was when an editor published it. */
  readonly text?: string
  readonly draftText: string
  readonly tags: readonly string[]
  /** UUID of the user who owns it. */
  readonly author: string
  readonly imgUrl?: string
  /** Normalised; unique over all blogs, deleted ones included. */
  readonly slug: string
  /** 0–1; a new blog has 0.01. */
  readonly score: number
  /** The author has handed the draft to the editors and not touched it since. */
  readonly submitted: boolean
  /** There is something that the author has not handed in. */
  readonly drafted: boolean
  readonly published: boolean
  /** False = deleted: invisible everywhere. */
  readonly status: boolean
  /** When it was published for the first time. */
  readonly publishedAt?: Date
  /** UUIDs of users. */
  readonly createdBy: string
  readonly updatedBy: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What a list reads of each blog: never the texts. */
export const summaryFields = ['title', 'description', 'slug', 'imgUrl', 'score', 'tags'] as const
export type BlogSummary = Pick<Blog, '_id' | (typeof summaryFields)[number]>

/** What a list for authors and editors reads of each. */
export const privateSummaryFields = [
  ...summaryFields,
  ...(['author', 'submitted', 'drafted', 'published', 'publishedAt', 'createdAt', 'updatedAt'] as const),
] as const
export type PrivateBlogSummary = Pick<Blog, '_id' | (typeof privateSummaryFields)[number]>

/** A blog's place among published ones, which it keeps for ever. */
export type Publication = Required<Pick<Blog, '_id' | 'publishedAt'>>

/** What an author may set. */
export type BlogContent = Pick<Blog, 'title' | 'description' | 'draftText' | 'tags' | 'imgUrl' | 'slug'>

const FIRST_SCORE = 0.01

/** A new draft. */
export function newBlog(_id: ObjectId, content: BlogContent, author: string, now: Date): Blog {
  return {
    _id,
    ...content,
    author,
    score: FIRST_SCORE,
    submitted: false,
    drafted: true,
    published: false,
    status: true,
    createdBy: author,
    updatedBy: author,
    createdAt: now,
    updatedAt: now,
  }
}
