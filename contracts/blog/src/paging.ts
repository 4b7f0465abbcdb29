import Type from 'typebox'
import { BLOG_ID } from './blog.ts'

/** A page by number costs what is before it, so numbers end where a list still answers in time; a cursor leads further. */
const DEEPEST_PAGE = 1000

export const PageQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: DEEPEST_PAGE, default: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 10 }),
})

/**
 * A page of a public list of published blogs, newest first. With `cursor`, the `_id` of the last blog that was seen, the list
 * begins behind that blog: what follows is the same whatever was published, withdrawn or deleted meanwhile (that blog
 * included), and equally fast however deep.
 *
 * The answer is a plain list either way: each item is the cursor of what follows it, so the first page needs none, and fewer
 * items than `limit` are the end. A blog's place never changes, as its date of publication is set once.
 *
 * @example
 * const first = await blogs.latest({ page: 1, limit: 100 })
 * const next = await blogs.latest({ page: 1, limit: 100, cursor: first.at(-1)?._id })
 */
export const ListQuery = Type.Object({
  ...PageQuery.properties,
  cursor: Type.Optional(
    Type.String({ pattern: BLOG_ID, description: 'Id of a blog: the list, and its page 1, begin behind it' }),
  ),
})

/**
 * What to look for. Only its words count, letters and digits: quotes, minus signs and everything else that a search engine
 * may understand merely part them. A blog is found by any of the words.
 */
export const SearchQuery = Type.Object({
  q: Type.String({ minLength: 1, maxLength: 200, description: 'Words, any of which is enough' }),
  ...PageQuery.properties,
})
