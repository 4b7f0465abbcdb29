import type { PublicProfile } from '@blog-platform/auth-contract'
import type { BlogItem, PrivateBlog, PrivateBlogItem, PublicBlog } from '@blog-platform/blog-contract'
import type { Blog, BlogSummary, Head, PrivateBlogSummary, PublicHead } from './model.ts'

/** Which of a blog's two sides is shown to authors and editors. */
export type Side = 'draft' | 'public'

/** What a list shows to everybody. @throws {TypeError} if the blog was never published */
export function toBlogItem(blog: BlogSummary): BlogItem {
  return item(blog, publicOf(blog))
}

/** What everybody sees of a published blog. @throws {TypeError} if it was never published */
export function toPublicBlog(blog: Blog, author: PublicProfile): PublicBlog {
  const { text, publishedAt } = blog
  if (text === undefined || publishedAt === undefined) throw neverPublished(blog)
  return { ...toBlogItem(blog), text, author, publishedAt: publishedAt.toISOString() }
}

/** What the author and the editors see. @throws {TypeError} for the public side of a blog that was never published */
export function toPrivateBlog(blog: Blog, side: Side, author: PublicProfile): PrivateBlog {
  const { text } = blog
  const { head, revision } = sideOf(blog, side)
  const draftText = side === 'public' && text !== undefined ? text : blog.draftText
  const publishedRevision = blog.public?.revision
  return {
    ...item(blog, head),
    ...(text === undefined ? {} : { text }),
    draftText,
    author,
    revision,
    ...(publishedRevision === undefined ? {} : { publishedRevision }),
    ...stateOf(blog),
  }
}

/** What a list shows to the author and the editors. @throws {TypeError} like `toPrivateBlog` */
export function toPrivateBlogItem(blog: PrivateBlogSummary, side: Side): PrivateBlogItem {
  const { head, revision } = sideOf(blog, side)
  return { ...item(blog, head), authorId: blog.author, revision, ...stateOf(blog) }
}

function sideOf(blog: PrivateBlogSummary, side: Side): { readonly head: Head; readonly revision: number } {
  if (side === 'draft') return { head: blog.draft, revision: blog.revision }
  const head = publicOf(blog)
  return { head, revision: head.revision }
}

function publicOf(blog: BlogSummary): PublicHead {
  if (blog.public === undefined) throw neverPublished(blog)
  return blog.public
}

function neverPublished({ _id }: BlogSummary): TypeError {
  return new TypeError(`blog ${_id.toHexString()} has no public side to show: it was never published`)
}

function item({ _id, score }: BlogSummary, { title, description, slug, imgUrl, cover, tags }: Head): BlogItem {
  return {
    _id: _id.toHexString(),
    title,
    description,
    slug,
    ...(imgUrl === undefined ? {} : { imgUrl }),
    ...(cover === undefined ? {} : { cover: cover.key }),
    score,
    tags: [...tags],
  }
}

function stateOf({ submitted, drafted, published, publishedAt, createdAt, updatedAt }: PrivateBlogSummary) {
  return {
    submitted,
    drafted,
    published,
    ...(publishedAt === undefined ? {} : { publishedAt: publishedAt.toISOString() }),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
