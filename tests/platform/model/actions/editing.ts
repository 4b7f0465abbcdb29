import fc from 'fast-check'
import { privateBlog, reviewedBlog } from '../views.ts'
import type { Action, World } from '../world.ts'
import { type BlogPick, place, publishedBlog, query, submittedBlog, who } from './pick.ts'

type Revision = (world: World, _id: string) => number

const present: Revision = ({ blogs }, _id) => blogs.get(_id)?.draft.revision ?? 1

/** The current one, one that an editor read some time ago, the public one, or one that does not exist yet. */
const revision = fc.noBias(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(present) },
    { weight: 5, arbitrary: fc.constant<Revision>((world, _id) => world.read.get(_id) ?? present(world, _id)) },
    { weight: 1, arbitrary: fc.constant<Revision>((world, _id) => world.blogs.get(_id)?.public?.revision ?? 1) },
    { weight: 1, arbitrary: fc.constant<Revision>((world, _id) => present(world, _id) + 1) },
  ),
)

/** A blog that was changed after an editor had read it, or any blog if there is none. */
const readTooEarly = fc.tuple(submittedBlog, fc.nat({ max: 99 })).map(([other, index]): BlogPick => {
  return world => {
    const changed = [...world.read].filter(([_id, revision]) => present(world, _id) > revision)
    return changed[index % changed.length]?.[0] ?? other(world)
  }
})

const submittedOrNot = fc.oneof({ weight: 3, arbitrary: submittedBlog }, { weight: 1, arbitrary: readTooEarly })

const publish: fc.Arbitrary<Action> = fc
  .tuple(who, submittedOrNot, revision)
  .map(([who, blog, revisionOf]) => world => {
    const caller = who(world, 'EDITOR')
    const _id = blog(world)
    const revision = revisionOf(world, _id)
    return {
      service: 'blog',
      caller,
      route: `PUT /editor/publish/id/${_id}?revision=${revision}`,
      expected: learned => {
        world.users.demand(caller, 'EDITOR')
        return privateBlog(world.blogs.publish(_id, revision, learned), 'public')
      },
    }
  })

const unpublish: fc.Arbitrary<Action> = fc.tuple(who, publishedBlog).map(([who, blog]) => world => {
  const caller = who(world, 'EDITOR')
  const _id = blog(world, { spared: world.anchors })
  return {
    service: 'blog',
    caller,
    route: `PUT /editor/unpublish/id/${_id}`,
    expected: learned => {
      world.users.demand(caller, 'EDITOR')
      return privateBlog(world.blogs.unpublish(_id, learned), 'public')
    },
  }
})

const review: fc.Arbitrary<Action> = fc
  .tuple(who, fc.oneof(submittedBlog, publishedBlog))
  .map(([who, blog]) => world => {
    const caller = who(world, 'EDITOR')
    const _id = blog(world)
    return {
      service: 'blog',
      caller,
      route: `GET /editor/id/${_id}`,
      expected: () => {
        world.users.demand(caller, 'EDITOR')
        const read = reviewedBlog(world.blogs.reviewed(_id))
        world.read.set(_id, read.revision)
        return read
      },
    }
  })

const list: fc.Arbitrary<Action> = fc
  .tuple(who, fc.constantFrom(...(['submitted', 'published'] as const)), place)
  .map(([who, state, place]) => world => {
    const caller = who(world, 'EDITOR')
    return {
      service: 'blog',
      caller,
      route: `GET /editor/${state}${query(place)}`,
      expected: () => {
        world.users.demand(caller, 'EDITOR')
        return world.lists.inState(state, undefined, place)
      },
    }
  })

export const editing: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: publish },
  { weight: 3, arbitrary: unpublish },
  { weight: 3, arbitrary: review },
  { weight: 2, arbitrary: list },
)
