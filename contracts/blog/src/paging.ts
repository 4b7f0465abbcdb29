import Type from 'typebox'
import { BLOG_ID } from './blog.ts'

/** Skipping to a page takes time, so page numbers end where a list still answers in time. A cursor leads further. */
const DEEPEST_PAGE = 1000

export const PageQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: DEEPEST_PAGE, default: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 10 }),
})

/**
 * A page of a public list of published blogs, newest first. With `cursor`, the `_id` of the last blog seen, the list starts
 * after that blog. What follows is then the same, even if blogs (including that one) are published, unpublished or deleted in
 * the meantime, and it is equally fast at any depth.
 *
 * The answer is a plain list in either case. Each item is the cursor for what follows it, so the first page needs no cursor,
 * and fewer items than `limit` mean the end. A blog's place never changes, because its date of publication is set only once.
 *
 * @example
 * const first = await blogs.latest({ page: 1, limit: 100 })
 * const next = await blogs.latest({ page: 1, limit: 100, cursor: first.at(-1)?._id })
 */
export const ListQuery = Type.Object({
  ...PageQuery.properties,
  cursor: Type.Optional(
    Type.String({ pattern: BLOG_ID, description: 'Id of a blog: the list, and its page 1, start after it' }),
  ),
})

/**
 * What to search for. Only words of letters and digits count: quotes, minus signs and other search operators merely separate
 * them. A blog matches if it contains any of the words.
 */
export const SearchQuery = Type.Object({
  q: Type.String({ minLength: 1, maxLength: 200, description: 'Words, any of which is enough' }),
  ...PageQuery.properties,
})
