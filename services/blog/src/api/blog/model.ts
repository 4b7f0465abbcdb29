import type { ObjectId } from 'mongodb'

/** What a blog says of itself: everything but its text. */
export interface Head {
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly imgUrl?: string
  /** Normalised. */
  readonly slug: string
}

/** The head of the draft as an editor published it, with the revision that the editor had read. */
export interface PublicHead extends Head {
  readonly revision: number
}

/**
 * A blog as it is stored in the collection `blogs`: the draft, which is the author's, and beside it what an editor has made
 * public. Whoever shows something to everybody reads `public` and `text` and nothing else.
 */
export interface Blog {
  readonly _id: ObjectId
  readonly draft: Head
  readonly draftText: string
  /** Counts the changes of the draft, head and text, from 1. */
  readonly revision: number
  /** Absent = never published. What is no longer public stays here, too: see `published`. */
  readonly public?: PublicHead
  /** The public text. */
  readonly text?: string
  /** All slugs that no other blog may have: that of the draft, and each that was public. Deleted blogs keep theirs. */
  readonly slugs: readonly string[]
  /** Each slug that was public leads here for ever. */
  readonly publicSlugs: readonly string[]
  /** UUID of the user who owns it. */
  readonly author: string
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

/** What a public list reads of each blog: never the texts. */
export const summaryFields = ['public', 'score'] as const
export type BlogSummary = Pick<Blog, '_id' | (typeof summaryFields)[number]>

/** What a list for authors and editors reads of each. */
export const privateSummaryFields = [
  ...summaryFields,
  ...(['draft', 'revision', 'author', 'submitted', 'drafted', 'published', 'publishedAt'] as const),
  ...(['createdAt', 'updatedAt'] as const),
] as const
export type PrivateBlogSummary = Pick<Blog, '_id' | (typeof privateSummaryFields)[number]>

/** A blog's place among published ones, which it keeps for ever. */
export type Publication = Required<Pick<Blog, '_id' | 'publishedAt'>>

/** What an author may set. */
export type BlogContent = Head & Pick<Blog, 'draftText'>

const FIRST_SCORE = 0.01

/** A new draft. */
export function newBlog(_id: ObjectId, { draftText, ...draft }: BlogContent, author: string, now: Date): Blog {
  return {
    _id,
    draft,
    draftText,
    revision: 1,
    slugs: [draft.slug],
    publicSlugs: [],
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
