import assert from 'node:assert/strict'
import type { ModelRunner } from './model-runner.ts'
import type { Learned } from './state.ts'
import type { Caller } from './users.ts'
import { privateBlog, publicBlog, reviewedBlog } from './views.ts'

/**
 * Random sequences only cover this now and then, so every run checks it: an editor reads, the author writes something else, and only what was
 * read can be published; a published blog is edited, its slug moves, and nobody else ever gets a slug that was public.
 */
export async function checkReviewFlow(runner: ModelRunner): Promise<void> {
  const { blogs, users, run } = runner.world
  const [admin, ada, bob] = users.all
  assert.ok(admin && ada && bob)
  const [editor, author, other] = [admin, ada, bob].map((user): Caller => ({ user, token: user.token }))
  assert.ok(editor && author && other)
  let door = 0
  const execute = (caller: Caller, route: string, expected: (learned: Learned) => unknown, json?: object) =>
    runner.execute({ service: 'blog', caller, route, expected, json }, door++)

  const slug = `${run}-story`
  const content = { title: 'Badger newt', description: 'Ibex stoat', draftText: 'HARMLESS', tags: ['NEWS'] }
  const write = (caller: Caller, by: typeof ada) =>
    execute(caller, 'POST /author', learned => privateBlog(blogs.create(by, { ...content, slug }, learned)), {
      ...content,
      slug,
    })
  await write(author, ada)
  const _id = blogs.all.at(-1)?._id ?? ''
  const change = (fields: object) =>
    execute(author, 'PUT /author', learned => privateBlog(blogs.change(_id, ada, fields, learned)), { _id, ...fields })
  const submit = () =>
    execute(author, `PUT /author/submit/id/${_id}`, learned => privateBlog(blogs.submit(_id, ada, learned)))
  const review = () => execute(editor, `GET /editor/id/${_id}`, () => reviewedBlog(blogs.reviewed(_id)))
  const publish = (revision: number) =>
    execute(editor, `PUT /editor/publish/id/${_id}?revision=${revision}`, learned =>
      privateBlog(blogs.publish(_id, revision, learned), 'public'),
    )
  const unpublish = () =>
    execute(editor, `PUT /editor/unpublish/id/${_id}`, learned => privateBlog(blogs.unpublish(_id, learned), 'public'))
  const remove = () => execute(author, `DELETE /author/id/${_id}`, () => blogs.remove(_id, ada))
  const read = async () => {
    await execute({}, `GET /id/${_id}`, () => publicBlog(blogs.public(blogs.get(_id))))
    for (const each of [slug, `${slug}-moved`]) {
      await execute({}, `GET /slug/${each}`, () => publicBlog(blogs.public(blogs.bySlug(each))))
    }
  }

  await submit()
  await review()
  await change({ draftText: 'HARMFUL' })
  await publish(1)
  await submit()
  await publish(1)
  await read()
  await review()
  for (let times = 0; times < 2; times++) await publish(2)
  await read()
  await change({ title: 'Lynx heron', tags: ['X'], slug: `${slug}-moved` })
  await read()
  await review()
  await submit()
  await read()
  await publish(3)
  await read()
  await write(other, bob)
  for (let times = 0; times < 2; times++) await unpublish()
  await read()
  for (let times = 0; times < 2; times++) await remove()
  await read()
  await write(other, bob)
}
