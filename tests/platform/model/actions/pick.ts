import fc from 'fast-check'
import type { BlogState, RoleName, UserState } from '../state.ts'
import type { Caller } from '../users.ts'
import type { World } from '../world.ts'

export type Pick = (world: World, wanted?: RoleName) => Caller
interface Wanted {
  /** The user whose blogs count as their own. */
  readonly user?: UserState | undefined
  /** Ids that are never picked. */
  readonly spared?: ReadonlySet<string> | undefined
}
export type BlogPick = (world: World, wanted?: Wanted) => string

const index = fc.noBias(fc.nat({ max: 9999 }))

const STRANGERS: readonly Caller[] = [{}, { token: 'no.such.token' }, { token: '' }]

/** Usually a user who may do it, sometimes anybody. */
export const who: fc.Arbitrary<Pick> = fc.tuple(fc.noBias(fc.nat({ max: 7 })), index).map(([luck, index]) => {
  return ({ users }, wanted) => {
    const everybody = users.all.map(user => ({ user, token: user.token }))
    const able = everybody.filter(({ user }) => wanted === undefined || users.has(user, wanted))
    const some = luck > 0 && able.length > 0 ? able : [...everybody, ...STRANGERS]
    return some[index % some.length] ?? {}
  }
})

const NOBODYS = 'ffffffffffffffffffffffff'

const KINDS: Readonly<Record<string, (blog: BlogState, user?: UserState) => boolean>> = {
  own: (blog, user) => !blog.deleted && blog.author === user,
  handedIn: (blog, user) => !blog.deleted && blog.author === user && blog.submitted,
  draft: blog => !blog.deleted && blog.drafted,
  submitted: blog => !blog.deleted && blog.submitted,
  published: blog => !blog.deleted && blog.published,
  deleted: blog => blog.deleted,
  any: () => true,
}

/** The id of a blog of one of the kinds, with these weights, or of any blog if there is none. Rarely an id that never existed. */
function blogAmong(...kinds: readonly [string, number][]): fc.Arbitrary<BlogPick> {
  const weighted = [...kinds, ['any', 1] as const].map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))
  return fc.tuple(fc.oneof(...weighted), index, fc.noBias(fc.nat({ max: 24 }))).map(([kind, index, luck]) => {
    return ({ blogs }, { user, spared } = {}) => {
      const all = blogs.all.filter(({ _id }) => !spared?.has(_id))
      const some = all.filter(blog => KINDS[kind]?.(blog, user))
      const pool = some.length > 0 ? some : all
      return luck === 0 ? NOBODYS : (pool[index % pool.length]?._id ?? NOBODYS)
    }
  })
}

/** Submitted blogs are those that editors may have read by now. */
export const authorsBlog = blogAmong(['own', 7], ['handedIn', 2], ['deleted', 1])
export const submittedBlog = blogAmong(['submitted', 6], ['published', 2], ['draft', 1])
export const publishedBlog = blogAmong(['published', 8], ['submitted', 1], ['deleted', 1])

export const place = fc.record({
  page: fc.noBias(fc.constantFrom(1, 1, 1, 2, 3, 1000)),
  limit: fc.noBias(fc.constantFrom(1, 2, 3, 10, 10, 50, 1000)),
})

/** A page as query parameters, with or without the defaults. */
export function query(fields: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(fields).filter(([name, value]) => value !== undefined && value !== DEFAULTS[name])
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

const DEFAULTS: Readonly<Record<string, number>> = { page: 1, limit: 10 }
