import type { Blogs } from './blogs.ts'
import { Refusal } from './refusal.ts'
import type { BlogState, UserState } from './state.ts'
import { item, privateItem } from './views.ts'
import { scoreOf } from './words.ts'

export interface Place {
  readonly page: number
  readonly limit: number
}

export type OwnState = 'drafted' | 'submitted' | 'published'

type Key = (blog: BlogState) => string | number

/** Descending; the first key that differs decides. */
function ordered(blogs: readonly BlogState[], ...keys: readonly Key[]): readonly BlogState[] {
  return blogs.toSorted((one, two) => {
    for (const key of keys) {
      const [a, b] = [key(one), key(two)]
      if (a !== b) return a > b ? -1 : 1
    }
    return 0
  })
}

const NOTHING = { title: '', description: '' }

const publishedAt: Key = blog => blog.publishedAt ?? ''
const updatedAt: Key = blog => blog.updatedAt
const id: Key = blog => blog._id

function page<T>(all: readonly T[], { page, limit }: Place): readonly T[] {
  return all.slice((page - 1) * limit, page * limit)
}

/** Every list of the platform. */
export class Lists {
  readonly #blogs: Blogs

  constructor(blogs: Blogs) {
    this.#blogs = blogs
  }

  latest(tag: string | undefined, cursor: string | undefined, place: Place) {
    const all = this.#public().filter(blog => tag === undefined || blog.public?.tags.includes(tag))
    const newestFirst = ordered(cursor === undefined ? all : this.#behind(cursor, all), publishedAt, id)
    return page(newestFirst, place).map(blog => item(blog))
  }

  search(question: string, place: Place) {
    return page(this.#matching(this.#public(), question), place).map(blog => item(blog))
  }

  similar(_id: string) {
    const { title, description } = this.#blogs.public(this.#blogs.get(_id)).public ?? NOTHING
    const others = this.#public().filter(blog => blog._id !== _id)
    return page(this.#matching(others, `${title} ${description}`), { page: 1, limit: 6 }).map(blog => item(blog))
  }

  /** The blogs of one author, or of all authors for editors. */
  inState(state: OwnState, author: UserState | undefined, place: Place) {
    const some = this.#blogs.all.filter(blog => !blog.deleted && blog[state] && (!author || blog.author === author))
    const side = state === 'published' ? 'public' : 'draft'
    return page(ordered(some, updatedAt, id), place).map(blog => privateItem(blog, side))
  }

  #public(): readonly BlogState[] {
    return this.#blogs.all.filter(blog => blog.published && !blog.deleted)
  }

  /** A blog that is or was public, even if deleted, has a place in the list. */
  #behind(cursor: string, all: readonly BlogState[]): readonly BlogState[] {
    const last = this.#blogs.get(cursor)
    if (last?.publishedAt === undefined) throw new Refusal('CURSOR_INVALID')
    const [following] = [ordered([...all.filter(blog => blog !== last), last], publishedAt, id)]
    return following.slice(following.indexOf(last) + 1)
  }

  #matching(blogs: readonly BlogState[], question: string): readonly BlogState[] {
    const score = (blog: BlogState) => scoreOf(blog.public ?? NOTHING, question)
    return ordered(
      blogs.filter(blog => score(blog) > 0),
      score,
      publishedAt,
      id,
    )
  }
}
