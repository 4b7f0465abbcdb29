import fc from 'fast-check'
import { privateBlog } from '../views.ts'
import type { Action } from '../world.ts'
import { type BlogPick, place, publishedBlog, query, submittedBlog, who } from './pick.ts'

const decide = (verb: 'publish' | 'unpublish', blogs: fc.Arbitrary<BlogPick>): fc.Arbitrary<Action> =>
  fc.tuple(who, blogs).map(([who, blog]) => world => {
    const caller = who(world, 'EDITOR')
    const _id = blog(world, verb === 'unpublish' ? { spared: world.anchors } : {})
    return {
      service: 'blog',
      caller,
      route: `PUT /editor/${verb}/id/${_id}`,
      expected: learned => {
        world.users.demand(caller, 'EDITOR')
        return privateBlog(world.blogs[verb](_id, learned))
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
        return privateBlog(world.blogs.reviewed(_id))
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
  { weight: 8, arbitrary: decide('publish', submittedBlog) },
  { weight: 3, arbitrary: decide('unpublish', publishedBlog) },
  { weight: 2, arbitrary: review },
  { weight: 2, arbitrary: list },
)
