import fc from 'fast-check'
import { SPELLINGS, spelledIn } from '../slugs.ts'
import { privateBlog } from '../views.ts'
import { text } from '../words.ts'
import type { Action, Step, World } from '../world.ts'
import { authorsBlog, type BlogPick, type Pick, place, query, who } from './pick.ts'

const draftText = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).filter(each => !each.includes('\0')) },
  { weight: 1, arbitrary: fc.constantFrom('', '\n', '<script>alert(1)</script>', '$set', '€'.repeat(50_000)) },
)

export const TAGS = ['NEWS', 'C++', 'NODE.JS', 'TWO WORDS', 'X']

const fields = {
  title: text,
  description: text,
  draftText,
  spelling: fc.noBias(fc.constantFrom(...SPELLINGS)),
  imgUrl: fc.constantFrom('https://example.com/a.png', 'http://example.com/b?c=d#e'),
  tags: fc.uniqueArray(fc.constantFrom(...TAGS), { minLength: 1, maxLength: 3 }),
}

const content = fc.record(fields, { requiredKeys: ['title', 'description', 'draftText', 'spelling', 'tags'] })
const change = fc
  .record(fields, { requiredKeys: [] })
  .map(each => (Object.keys(each).length > 0 ? each : { draftText: '?' }))

const create: fc.Arbitrary<Action> = fc.tuple(who, content).map(([who, { spelling, ...content }]) => world => {
  const caller = who(world, 'AUTHOR')
  const { written, normal: slug } = spelledIn(world.run, spelling)
  return {
    ...step('POST /author', caller),
    json: { ...content, slug: written },
    expected: learned => {
      const author = world.users.demand(caller, 'AUTHOR')
      return privateBlog(world.blogs.create(author, { ...content, slug }, learned))
    },
  }
})

const edit: fc.Arbitrary<Action> = fc
  .tuple(who, authorsBlog, change)
  .map(([who, blog, { spelling, ...content }]) => world => {
    const { caller, _id } = actor(world, who, blog)
    const { written, normal } = spelling ? spelledIn(world.run, spelling) : {}
    return {
      ...step('PUT /author', caller),
      json: { _id, ...content, ...(spelling ? { slug: written } : {}) },
      expected: learned => {
        const author = world.users.demand(caller, 'AUTHOR')
        const change = { ...content, ...(spelling ? { slug: normal } : {}) }
        return privateBlog(world.blogs.change(_id, author, change, learned))
      },
    }
  })

const handIn = (verb: 'submit' | 'withdraw'): fc.Arbitrary<Action> =>
  fc.tuple(who, authorsBlog).map(([who, blog]) => world => {
    const { caller, _id } = actor(world, who, blog)
    return {
      ...step(`PUT /author/${verb}/id/${_id}`, caller),
      expected: learned => privateBlog(world.blogs[verb](_id, world.users.demand(caller, 'AUTHOR'), learned)),
    }
  })

const findOwn: fc.Arbitrary<Action> = fc.tuple(who, authorsBlog).map(([who, blog]) => world => {
  const { caller, _id } = actor(world, who, blog)
  return {
    ...step(`GET /author/id/${_id}`, caller),
    expected: () => privateBlog(world.blogs.own(_id, world.users.demand(caller, 'AUTHOR'))),
  }
})

const remove: fc.Arbitrary<Action> = fc.tuple(who, authorsBlog).map(([who, blog]) => world => {
  const { caller, _id } = actor(world, who, blog, world.anchors)
  return {
    ...step(`DELETE /author/id/${_id}`, caller),
    expected: () => world.blogs.remove(_id, world.users.demand(caller, 'AUTHOR')),
  }
})

const list: fc.Arbitrary<Action> = fc
  .tuple(who, fc.constantFrom(...(['drafted', 'submitted', 'published'] as const)), place)
  .map(([who, state, place]) => world => {
    const caller = who(world, 'AUTHOR')
    return {
      ...step(`GET /author/${state === 'drafted' ? 'drafts' : state}${query(place)}`, caller),
      expected: () => world.lists.inState(state, world.users.demand(caller, 'AUTHOR'), place),
    }
  })

export const authoring: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: create },
  { weight: 5, arbitrary: edit },
  { weight: 8, arbitrary: handIn('submit') },
  { weight: 1, arbitrary: handIn('withdraw') },
  { weight: 2, arbitrary: findOwn },
  { weight: 1, arbitrary: remove },
  { weight: 3, arbitrary: list },
)

function step(route: string, caller: Step['caller']): Omit<Step, 'expected'> {
  return { service: 'blog', caller, route }
}

function actor(world: World, who: Pick, blog: BlogPick, spared?: ReadonlySet<string>) {
  const caller = who(world, 'AUTHOR')
  return { caller, _id: blog(world, { user: caller.user, spared }) }
}
