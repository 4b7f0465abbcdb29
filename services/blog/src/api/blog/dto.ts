import type { PublicProfile } from '@blog-platform/auth-contract'
import type { BlogItem, PrivateBlog, PrivateBlogItem, PublicBlog } from '@blog-platform/blog-contract'
import type { Blog, BlogSummary, PrivateBlogSummary } from './model.ts'

/** What a list shows. */
export function toBlogItem({ _id, title, description, slug, imgUrl, score, tags }: BlogSummary): BlogItem {
  return {
    _id: _id.toHexString(),
    title,
    description,
    slug,
    ...(imgUrl === undefined ? {} : { imgUrl }),
    score,
    tags: [...tags],
  }
}

/** What everybody sees of a published blog. @throws {TypeError} when it was never published */
export function toPublicBlog(blog: Blog, author: PublicProfile): PublicBlog {
  const { text, publishedAt } = blog
  if (text === undefined || publishedAt === undefined)
    throw new TypeError(`blog ${blog._id.toHexString()} is marked as published and has no text or date of publication`)
  return { ...toBlogItem(blog), text, author, publishedAt: publishedAt.toISOString() }
}

/** What the author and the editors see. */
export function toPrivateBlog(blog: Blog, author: PublicProfile): PrivateBlog {
  const { text, draftText } = blog
  return { ...toBlogItem(blog), ...(text === undefined ? {} : { text }), draftText, author, ...stateOf(blog) }
}

/** What a list shows to the author and the editors. */
export function toPrivateBlogItem(blog: PrivateBlogSummary): PrivateBlogItem {
  return { ...toBlogItem(blog), authorId: blog.author, ...stateOf(blog) }
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
