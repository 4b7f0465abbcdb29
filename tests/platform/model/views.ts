import type { BlogState, UserState } from './state.ts'

/** What everybody may see of a user. */
export function publicProfile({ id, name, profilePicUrl }: UserState) {
  return { id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
}

/** What users see of themselves: the roles' ids are the platform's own. */
export function privateProfile(user: UserState) {
  const roles = user.roles.toSorted().map(code => ({ code }))
  return { ...publicProfile(user), email: user.email, roles, verified: user.verified }
}

/** A blog in a public list. */
export function item({ _id, title, description, slug, imgUrl, tags }: BlogState) {
  return { _id, title, description, slug, ...(imgUrl === undefined ? {} : { imgUrl }), score: 0.01, tags }
}

/** A published blog as everybody reads it. */
export function publicBlog(blog: BlogState) {
  const { text, publishedAt, author } = blog
  return { ...item(blog), text, author: publicProfile(author), publishedAt }
}

/** A blog in a list of its author or of the editors. */
export function privateItem(blog: BlogState) {
  return { ...item(blog), authorId: blog.author.id, ...flags(blog) }
}

/** A blog as its author and the editors read it. */
export function privateBlog(blog: BlogState) {
  const { text, draftText, author } = blog
  const texts = text === undefined ? { draftText } : { text, draftText }
  return { ...item(blog), ...texts, author: publicProfile(author), ...flags(blog) }
}

function flags({ submitted, drafted, published, publishedAt, createdAt, updatedAt }: BlogState) {
  const publication = publishedAt === undefined ? {} : { publishedAt }
  return { submitted, drafted, published, ...publication, createdAt, updatedAt }
}
