import type { BlogState, Revised, UserState } from './state.ts'

/** Which of a blog's two sides is shown. */
export type Side = 'draft' | 'public'

/** What everybody may see of a user. */
export function publicProfile({ id, name, profilePicUrl }: UserState) {
  return { id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
}

/** What users see of themselves, without the ids of roles, which the platform chooses. */
export function privateProfile(user: UserState) {
  const roles = user.roles.toSorted().map(code => ({ code }))
  return { ...publicProfile(user), email: user.email, roles, verified: user.verified }
}

/** A blog in a public list. */
export function item(blog: BlogState, side: Side = 'public') {
  const { title, description, slug, imgUrl, tags } = sideOf(blog, side)
  return { _id: blog._id, title, description, slug, ...(imgUrl === undefined ? {} : { imgUrl }), score: 0.01, tags }
}

/** A published blog as everybody reads it. */
export function publicBlog(blog: BlogState) {
  const { publishedAt, author } = blog
  return { ...item(blog), text: sideOf(blog, 'public').draftText, author: publicProfile(author), publishedAt }
}

/** A blog in a list of its author or of the editors. */
export function privateItem(blog: BlogState, side: Side) {
  const { revision } = sideOf(blog, side)
  return { ...item(blog, side), authorId: blog.author.id, revision, ...flags(blog) }
}

/** A blog as its author and the editors read it. */
export function privateBlog(blog: BlogState, side: Side = 'draft') {
  const { draftText, revision } = sideOf(blog, side)
  const publication = blog.public ? { text: blog.public.draftText, publishedRevision: blog.public.revision } : {}
  const author = publicProfile(blog.author)
  return { ...item(blog, side), ...publication, draftText, revision, author, ...flags(blog) }
}

/** As editors read it: what was submitted, otherwise what is public. */
export function reviewedBlog(blog: BlogState) {
  return privateBlog(blog, blog.submitted ? 'draft' : 'public')
}

function sideOf(blog: BlogState, side: Side): Revised {
  const shown = blog[side]
  if (!shown) throw new TypeError(`blog ${blog._id} was never published`)
  return shown
}

function flags({ submitted, drafted, published, publishedAt, createdAt, updatedAt }: BlogState) {
  const publication = publishedAt === undefined ? {} : { publishedAt }
  return { submitted, drafted, published, ...publication, createdAt, updatedAt }
}
