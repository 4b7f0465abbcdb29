import fc from 'fast-check'
import { SPELLINGS, spelledIn } from '../slugs.ts'
import { publicBlog } from '../views.ts'
import { question } from '../words.ts'
import type { Action } from '../world.ts'
import { TAGS } from './authoring.ts'
import { place, publishedBlog, query, who } from './pick.ts'

type Read = (world: Parameters<Action>[0]) => { readonly path: string; readonly expected: () => unknown }

const byId = publishedBlog.map(
  (pick): Read =>
    world => {
      const _id = pick(world)
      return { path: `/id/${_id}`, expected: () => publicBlog(world.blogs.public(world.blogs.get(_id))) }
    },
)

/** By the current or a former slug of a blog, in its normal or an unusual spelling. */
const bySlug = fc
  .oneof(
    fc.tuple(publishedBlog, fc.nat({ max: 99 })).map(([pick, index]) => (world: Parameters<Read>[0]) => {
      const { draft, publicSlugs = [] } = world.blogs.get(pick(world)) ?? {}
      const slugs = [draft?.slug ?? 'nothing', ...publicSlugs]
      const slug = slugs[index % slugs.length] ?? ''
      return { written: slug.toUpperCase(), normal: slug }
    }),
    fc
      .noBias(fc.constantFrom(...SPELLINGS))
      .map(spelling => (world: Parameters<Read>[0]) => spelledIn(world.run, spelling)),
  )
  .map(
    (spelled): Read =>
      world => {
        const { written, normal } = spelled(world)
        return {
          path: `/slug/${encodeURIComponent(written)}`,
          expected: () => publicBlog(world.blogs.public(world.blogs.bySlug(normal))),
        }
      },
  )

const list = fc
  .tuple(
    fc.option(fc.constantFrom(...TAGS, 'NO SUCH'), { nil: undefined }),
    place,
    fc.option(publishedBlog, { freq: 4 }),
  )
  .map(
    ([tag, place, pick]): Read =>
      world => {
        const cursor = pick?.(world)
        const list = tag === undefined ? 'latest' : `tag/${encodeURIComponent(tag)}`
        return {
          path: `/list/${list}${query({ ...place, cursor })}`,
          expected: () => world.lists.latest(tag, cursor, place),
        }
      },
  )

const similar = publishedBlog.map(
  (pick): Read =>
    world => {
      const _id = pick(world)
      return { path: `/list/similar/id/${_id}`, expected: () => world.lists.similar(_id) }
    },
)

const search = fc.tuple(question, place).map(
  ([q, place]): Read =>
    world => {
      return { path: `/search${query({ q, ...place })}`, expected: () => world.lists.search(q, place) }
    },
)

/** Any reader, signed in or not: reads do not ask who they are. */
export const reading: fc.Arbitrary<Action> = fc
  .tuple(
    who,
    fc.oneof(
      { weight: 4, arbitrary: byId },
      { weight: 4, arbitrary: bySlug },
      { weight: 4, arbitrary: list },
      { weight: 1, arbitrary: similar },
      { weight: 2, arbitrary: search },
    ),
  )
  .map(([who, read]) => world => {
    const { path, expected } = read(world)
    return { service: 'blog', caller: who(world), route: `GET ${path}`, expected }
  })
