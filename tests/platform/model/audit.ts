import assert from 'node:assert/strict'
import type { ModelRunner } from './model-runner.ts'
import { publicBlog, reviewedBlog } from './views.ts'
import type { Step, World } from './world.ts'

type Read = (route: string, expected: () => unknown) => Step

const ALL = { page: 1, limit: 1000 }

/** Reads everything at every address, and compares it. */
export async function audit(runner: ModelRunner): Promise<void> {
  for (const door of runner.doors) await runner.executeUntraced(everything(runner.world), door)
}

function* everything(world: World): Generator<Step> {
  const { blogs, lists, users } = world
  const read = (route: string, expected: () => unknown, caller: Step['caller'] = {}): Step => {
    return { service: 'blog', caller, route: `GET ${route}`, expected }
  }
  for (const blog of blogs.all) {
    yield read(`/id/${blog._id}`, () => publicBlog(blogs.public(blog)))
    // Including former slugs, and the draft's, which leads nowhere until it is public.
    for (const slug of new Set([blog.draft.slug, ...blog.publicSlugs])) {
      yield read(`/slug/${slug}`, () => publicBlog(blogs.public(blogs.bySlug(slug))))
    }
  }
  yield read('/list/latest?limit=1000', () => lists.latest(undefined, undefined, ALL))
  for (const tag of new Set(blogs.all.flatMap(({ draft }) => draft.tags))) {
    yield read(`/list/tag/${encodeURIComponent(tag)}?limit=1000`, () => lists.latest(tag, undefined, ALL))
  }
  yield* pages(world, read)
  yield* walk(world, read)
  for (const user of users.all) {
    const caller = { user, token: user.token }
    for (const state of ['drafted', 'submitted', 'published'] as const) {
      const path = `/author/${state === 'drafted' ? 'drafts' : state}?limit=1000`
      yield read(path, () => lists.inState(state, users.demand(caller, 'AUTHOR'), ALL), caller)
    }
  }
  const editor = users.all.find(user => users.has(user, 'EDITOR'))
  assert.ok(editor, 'the administrator at least')
  const caller = { user: editor, token: editor.token }
  for (const state of ['submitted', 'published'] as const)
    yield read(`/editor/${state}?limit=1000`, () => lists.inState(state, undefined, ALL), caller)
  for (const blog of blogs.all)
    yield read(`/editor/id/${blog._id}`, () => reviewedBlog(blogs.reviewed(blog._id)), caller)
}

/** The whole list of published blogs, page by page. */
function* pages({ lists }: World, read: Read): Generator<Step> {
  const limit = 7
  for (let page = 1; lists.latest(undefined, undefined, { page, limit }).length > 0; page++)
    yield read(`/list/latest?page=${page}&limit=${limit}`, () => lists.latest(undefined, undefined, { page, limit }))
}

/** The same by cursor. */
function* walk({ lists }: World, read: Read): Generator<Step> {
  const place = { page: 1, limit: 7 }
  for (let last = lists.latest(undefined, undefined, place).at(-1); last; ) {
    const cursor = last._id
    yield read(`/list/latest?limit=7&cursor=${cursor}`, () => lists.latest(undefined, cursor, place))
    last = lists.latest(undefined, cursor, place).at(-1)
  }
}
