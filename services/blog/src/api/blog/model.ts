import type { ObjectId } from 'mongodb'
import type { MongoChange } from 'tsmicro/mongo'

/** The change of one document, with the events that announce it. */
export type Change = MongoChange

/** A picture that was uploaded; its bytes are in the `CoverStore`. */
export interface Cover {
  /** Every upload has its own, so that one that was replaced is never needed again. */
  readonly key: string
  readonly sha256: string
}

/** What describes a blog: everything except its text. */
export interface Head {
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly imgUrl?: string
  readonly cover?: Cover
  /** Normalized. */
  readonly slug: string
}

/** The head of the draft that an editor published, with the revision that the editor had read. */
export interface PublicHead extends Head {
  readonly revision: number
}

/**
 * A blog as it is stored in the collection `blogs`: the author's draft, and next to it what an editor has published. Code that
 * shows something to everybody reads `public` and `text` and nothing else.
 */
export interface Blog {
  readonly _id: ObjectId
  readonly draft: Head
  readonly draftText: string
  /** Counts the changes to the draft, head and text, from 1. */
  readonly revision: number
  /** Absent = never published. It stays here when the blog is no longer public: see `published`. */
  readonly public?: PublicHead
  /** The public text. */
  readonly text?: string
  /** The slugs that no other blog may have: the draft's, and every one that was public. Deleted blogs keep theirs. */
  readonly slugs: readonly string[]
  /** Every slug that was ever public; they lead here forever. */
  readonly publicSlugs: readonly string[]
  /** Keys of covers that are being stored, or whose upload broke off. */
  readonly coverUploads?: readonly string[]
  /** Keys of covers that no longer belong to a side, until they have been removed from the store. */
  readonly unusedCovers?: readonly string[]
  /** UUID of the user who owns it. */
  readonly author: string
  /** 0–1; a new blog has 0.01. */
  readonly score: number
  /** The author has submitted the draft to the editors and has not changed it since. */
  readonly submitted: boolean
  /** There is something that the author has not submitted. */
  readonly drafted: boolean
  readonly published: boolean
  /** False = deleted, and invisible everywhere. */
  readonly status: boolean
  /** When it was published for the first time. */
  readonly publishedAt?: Date
  /** UUIDs of users. */
  readonly createdBy: string
  readonly updatedBy: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** The fields that a public list reads of each blog; never the texts. */
export const summaryFields = ['public', 'score'] as const
export type BlogSummary = Pick<Blog, '_id' | (typeof summaryFields)[number]>

/** The fields that a list for authors and editors reads of each blog. */
export const privateSummaryFields = [
  ...summaryFields,
  ...(['draft', 'revision', 'author', 'submitted', 'drafted', 'published', 'publishedAt'] as const),
  ...(['createdAt', 'updatedAt'] as const),
] as const
export type PrivateBlogSummary = Pick<Blog, '_id' | (typeof privateSummaryFields)[number]>

/** A blog's place among published ones, which never changes. */
export type Publication = Required<Pick<Blog, '_id' | 'publishedAt'>>

/** What is read of a blog before it is published. */
export const publicationFields = ['draft', 'revision', 'author', 'published', 'public', 'publishedAt'] as const
export type PublicationSource = Pick<Blog, '_id' | (typeof publicationFields)[number]>

/** What a blog says about covers that nobody needs. */
export type CoverKeys = Pick<Blog, '_id' | 'coverUploads' | 'unusedCovers'>

/** What authors may set. */
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
