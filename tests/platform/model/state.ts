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

/** A blog as the model knows it. Times are ISO strings, whose order is theirs. */
export interface BlogState {
  readonly _id: string
  readonly author: UserState
  readonly createdAt: string
  title: string
  description: string
  draftText: string
  slug: string
  imgUrl?: string
  tags: readonly string[]
  text?: string
  submitted: boolean
  drafted: boolean
  published: boolean
  deleted: boolean
  publishedAt?: string
  updatedAt: string
}

/** What only an answer can tell: the id that was chosen and when the change was made. The rules ask for it when they use it. */
export interface Learned {
  readonly _id: string
  readonly at: string
}
