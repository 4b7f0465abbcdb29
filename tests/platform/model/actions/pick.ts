import fc from 'fast-check'
import type { BlogState, RoleName, UserState } from '../state.ts'
import type { Caller } from '../users.ts'
import type { World } from '../world.ts'

export type Pick = (world: World, wanted?: RoleName) => Caller
interface Wanted {
  /** Whose blogs are the own ones. */
  readonly user?: UserState | undefined
  /** Ids that are not picked. */
  readonly spared?: ReadonlySet<string> | undefined
}
export type BlogPick = (world: World, wanted?: Wanted) => string

const index = fc.noBias(fc.nat({ max: 9999 }))

const STRANGERS: readonly Caller[] = [{}, { token: 'no.such.token' }, { token: '' }]

/** Mostly somebody who may, and now and then anybody at all. */
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

/** The id of a blog of some kind, by preference in this order; of any if there is none. Rarely one that never was. */
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

/** What was handed in is what editors may have read by now. */
export const authorsBlog = blogAmong(['own', 7], ['handedIn', 2], ['deleted', 1])
export const submittedBlog = blogAmong(['submitted', 6], ['published', 2], ['draft', 1])
export const publishedBlog = blogAmong(['published', 8], ['submitted', 1], ['deleted', 1])

export const place = fc.record({
  page: fc.noBias(fc.constantFrom(1, 1, 1, 2, 3, 1000)),
  limit: fc.noBias(fc.constantFrom(1, 2, 3, 10, 10, 50, 1000)),
})

/** A place as a query, with or without what stands by default. */
export function query(fields: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(fields).filter(([name, value]) => value !== undefined && value !== DEFAULTS[name])
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

const DEFAULTS: Readonly<Record<string, number>> = { page: 1, limit: 10 }
