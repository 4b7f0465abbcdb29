import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CURSOR_INVALID, reading } from '@blog-platform/blog-contract'
import { createHttpClient } from 'tsmicro/client'
import type { User } from './support/auth-double.ts'
import { makeBlog, type Running, startBlog } from './support/platform.ts'

let it: Running
let author: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

const published = async () => (await makeBlog(it.send, author, editor))._id

/** The ids of the next blogs that a client is sent. @param last the blog after which it comes back */
async function next(count: number, last?: string): Promise<string[]> {
  const client = createHttpClient(reading, { baseUrl: it.blog.url, headers: last ? { 'last-event-id': last } : {} })
  const ids: string[] = []
  for await (const { _id } of client.follow()) if (ids.push(_id) === count) break
  return ids
}

test('blogs are sent in the order of their publication: the newest and what follows it, or all after one that was seen', async () => {
  const first = await published()
  const answer = await fetch(`${it.blog.url}/published/stream`)
  const gone = await published()
  await it.send(`PUT /editor/unpublish/id/${gone}`, { token: editor.token })
  await makeBlog(it.send, author)
  const [second, third] = [await published(), await published()]
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes(`id: ${third}\n`)) break
  }
  assert.deepEqual(text.match(/(?<=^id: ).*$/gm), [first, second, third])
  assert.deepEqual(await next(2, first), [second, third])
  assert.deepEqual(await next(1, second), [third])
  // A new client has an id at once, with which it can come back.
  assert.deepEqual(await next(1), [third])
  // A blog that is no longer public still has its place.
  assert.deepEqual(await next(2, gone), [second, third])
})

test('a client cannot come back from a blog that was never published', async () => {
  const draft = await makeBlog(it.send, author)
  for (const last of [draft._id, 'f'.repeat(24), 'blog', '$where'])
    await assert.rejects(next(1, last), CURSOR_INVALID, last)
})
