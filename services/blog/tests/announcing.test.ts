import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { blogEvents } from '@blog-platform/blog-contract'
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node'
import type { User } from './support/auth-double.ts'
import { dataOf, handIn, makeBlog, publish, type Running, revise, startBlog } from './support/platform.ts'
import { until } from './support/until.ts'

let it: Running
let author: User
let editor: User
let plain: NatsConnection
const events: Msg[] = []

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
  plain = await connect({ servers: new URL(it.nats.url).host })
  plain.subscribe('blog.*', { callback: (_, msg) => void events.push(msg) })
  await plain.flush()
})
after(async () => {
  await plain?.close()
  await it?.[Symbol.asyncDispose]()
})

/** Waits for an event about a blog that is announced last, and returns all about another one. */
async function toldOf(id: string): Promise<unknown[]> {
  const about = (blogId: string) => events.filter(msg => msg.headers?.get('ce-aggregateid') === blogId)
  const witness = await makeBlog(it.send, author, editor)
  await until(
    () => about(witness._id).length,
    count => count > 0,
  )
  return about(id).map(msg => [msg.subject, msg.headers?.get('ce-aggregatesequence')])
}

const unpublish = (id: string) => it.send(`PUT /editor/unpublish/id/${id}`, { token: editor.token })
const remove = (id: string) => it.send(`DELETE /author/id/${id}`, { token: author.token })

test('what becomes public is announced, with what is needed to list it', async () => {
  const { _id, slug } = await makeBlog(it.send, author, editor, { imgUrl: 'https://pics.example/1.png' })
  assert.deepEqual(await toldOf(_id), [['blog.published', '1']])
  const told = events.find(msg => msg.headers?.get('ce-aggregateid') === _id)?.json<Record<string, unknown>>()
  const shown = dataOf(await it.send(`GET /id/${_id}`))
  const { title, description, imgUrl, tags, publishedAt } = shown
  const about = { blogId: _id, authorId: author.id, revision: 1 }
  assert.deepEqual(told, { ...about, title, description, slug, imgUrl, tags, publishedAt })
})

test('each change of what is public is announced once, in its order; nothing else is', async () => {
  const { send } = it
  const { _id } = await makeBlog(send, author)
  await handIn(send, author, _id)
  dataOf(await publish(send, editor, _id))
  // Again what is public already, submitted again or not.
  await handIn(send, author, _id)
  for (const _ of [1, 2]) dataOf(await publish(send, editor, _id))
  await revise(send, author, editor, { _id, title: 'Another title' })
  for (const _ of [1, 2]) assert.equal((await unpublish(_id)).status, 200)
  await handIn(send, author, _id)
  dataOf(await publish(send, editor, _id))
  assert.equal((await unpublish(_id)).status, 200)
  for (const _ of [1, 2]) assert.equal((await remove(_id)).status, 200)
  const subjects = ['published', 'published', 'unpublished', 'published', 'unpublished', 'deleted']
  assert.deepEqual(
    await toldOf(_id),
    subjects.map((subject, index) => [`blog.${subject}`, String(index + 1)]),
  )
})

test('a draft that is deleted is nobody else’s business', async () => {
  const { _id } = await makeBlog(it.send, author)
  assert.equal((await remove(_id)).status, 200)
  assert.deepEqual(await toldOf(_id), [])
})

test('of concurrent changes to what is public, each that had an effect is announced', async () => {
  const { send } = it
  const { _id } = await makeBlog(send, author)
  for (let round = 0; round < 10; round++) {
    const revision = await handIn(send, author, _id)
    const put = `PUT /editor/publish/id/${_id}?revision=${revision}`
    await Promise.all([send(put, { token: editor.token }), unpublish(_id), send(put, { token: editor.token })])
  }
  const told = (await toldOf(_id)) as [string, string][]
  // The same revision all the time: it becomes public, and no longer, in turns.
  const subjects = told.map(([subject]) => subject)
  assert.ok(subjects.length > 0 && subjects.every((subject, at) => subject !== subjects[at - 1]), subjects.join())
  const isPublic = (await send(`GET /id/${_id}`)).status === 200
  assert.equal(subjects.at(-1), isPublic ? blogEvents.blogPublished.subject : blogEvents.blogUnpublished.subject)
})
