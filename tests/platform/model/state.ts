/** Lowest first. */
export const ROLES = ['LEARNER', 'AUTHOR', 'EDITOR', 'ADMIN'] as const
export type RoleName = (typeof ROLES)[number]

/** A user as the model knows them. */
export interface UserState {
  readonly id: string
  readonly email: string
  readonly token: string
  readonly verified: boolean
  name: string
  profilePicUrl?: string
  roles: readonly RoleName[]
}

/** What an author sends. */
export interface Content {
  readonly title: string
  readonly description: string
  readonly draftText: string
  readonly slug: string
  readonly imgUrl?: string
  readonly tags: readonly string[]
}

/** What an author wrote, and its revision. */
export interface Revised extends Content {
  readonly revision: number
}

/** A blog as the model knows it. Times are ISO strings, which sort like the times. */
export interface BlogState {
  readonly _id: string
  readonly author: UserState
  readonly createdAt: string
  draft: Revised
  /** The draft as it was when an editor published it; the source of everything that is public. */
  public?: Revised
  /** Slugs that were public: no other blog gets them, and they lead here. */
  readonly publicSlugs: Set<string>
  submitted: boolean
  drafted: boolean
  published: boolean
  deleted: boolean
  publishedAt?: string
  updatedAt: string
}

/** What only an answer can tell: the chosen id and the time of the change. The rules ask for it when they need it. */
export interface Learned {
  readonly _id: string
  readonly at: string
}
