import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ObjectId } from 'mongodb'
import type { User } from './support/auth-double.ts'
import { dataOf, idsOf, makeBlog, publish, type Running, revise, startBlog } from './support/platform.ts'

let it: Running
let author: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

/** Publishes some blogs with a tag. @returns their ids, newest first */
async function published(tag: string, count: number): Promise<string[]> {
  const made: string[] = []
  for (let n = 0; n < count; n++) made.unshift((await makeBlog(it.send, author, editor, { tags: [tag] }))._id)
  return made
}

const list = async (path: string) => idsOf(await it.send(`GET /list/${path}`))
const unpublish = (id: string) => it.send(`PUT /editor/unpublish/id/${id}`, { token: editor.token })
const remove = (id: string) => it.send(`DELETE /author/id/${id}`, { token: author.token })

test('a tag’s list: published blogs that have it, newest first, in pages', async () => {
  const { send } = it
  const made = await published('PAGES', 5)
  await makeBlog(send, author, undefined, { tags: ['PAGES'] })
  await makeBlog(send, author, editor, { tags: ['PAGES-2'] })
  const both = await makeBlog(send, author, editor, { tags: ['OTHER', 'PAGES'] })
  const all = [both._id, ...made]
  assert.deepEqual(await list('tag/PAGES'), all)
  assert.deepEqual(await list('tag/PAGES?limit=1'), all.slice(0, 1))
  assert.deepEqual(await list('tag/PAGES?page=2&limit=4'), all.slice(4))
  assert.deepEqual(await list('tag/PAGES?page=3&limit=4'), [])
  assert.deepEqual(await list('tag/PAGES?page=1000&limit=1000'), [])
  assert.deepEqual(await list('tag/PAGE'), [])
  const [item] = dataOf(await send('GET /list/tag/OTHER'))
  assert.deepEqual(Object.keys(item).sort(), ['_id', 'description', 'score', 'slug', 'tags', 'title'])
})

test('every tag that a blog can have has a URL', async () => {
  for (const tag of ['C++', 'C#', 'NODE.JS', 'A B', '42', 'A_B-C', 'X'.repeat(50)]) {
    const [id] = await published(tag, 1)
    assert.deepEqual(await list(`tag/${encodeURIComponent(tag)}`), [id], tag)
  }
})

test('invalid and hostile tags are refused', async () => {
  const { send } = it
  const hostile = ['nats', 'Nats', 'É', ' NATS', '$NE', '.*', '^N', '{"$ne":null}', '[$ne]', 'A\0', 'A\n', '日本', '😀']
  for (const tag of [...hostile, 'X'.repeat(51), 'X'.repeat(100)]) {
    const { status, body } = await send(`GET /list/tag/${encodeURIComponent(tag)}`)
    assert.deepEqual([status, body.error], [400, 'VALIDATION_FAILED'], tag)
  }
  for (const query of ['page=0', 'page=1001', 'page=1.5', 'limit=0', 'limit=1001', 'limit[$gt]=1', 'tag=X']) {
    const { status, body } = await send(`GET /list/tag/NATS?${query}`)
    assert.deepEqual([status, body.error], [400, 'VALIDATION_FAILED'], query)
  }
})

test('lists reflect published changes of tag or title, unpublishing and deletions at once', async () => {
  const { send } = it
  const [third = '', second = '', first = ''] = await published('LIVE', 3)
  const lists = ['latest?limit=3', 'tag/LIVE']
  for (const path of lists) assert.deepEqual(await list(path), [third, second, first], path)
  await revise(send, author, editor, { _id: third, title: 'Renamed' })
  for (const path of lists) assert.equal(dataOf(await send(`GET /list/${path}`))[0].title, 'Renamed', path)
  dataOf(await unpublish(second))
  for (const path of lists) assert.deepEqual((await list(path)).slice(0, 2), [third, first], path)
  dataOf(await remove(third))
  for (const path of lists) assert.equal((await list(path))[0], first, path)
  await revise(send, author, editor, { _id: first, tags: ['MOVED'] })
  assert.deepEqual(await list('tag/LIVE'), [])
  assert.deepEqual(await list('tag/MOVED'), [first])
})

test('after a cursor the same blogs follow, no matter what is published and removed between pages', async () => {
  const { send } = it
  const made = await published('WALK', 7)
  for (const path of ['latest', 'tag/WALK']) {
    assert.deepEqual(await list(`${path}?limit=3&cursor=${made[0]}`), made.slice(1, 4), path)
    assert.deepEqual(await list(`${path}?page=2&limit=2&cursor=${made[0]}`), made.slice(3, 5), path)
  }
  assert.deepEqual(await list(`tag/WALK?limit=3&cursor=${made[6]}`), [])

  const first = await list('tag/WALK?limit=3')
  assert.deepEqual(first, made.slice(0, 3))
  const [, , cursor = ''] = first
  await published('WALK', 2)
  assert.deepEqual(await list(`tag/WALK?limit=2&cursor=${cursor}`), made.slice(3, 5))
  // The blog that the client saw last is unpublished, loses its tag, and is deleted.
  dataOf(await unpublish(cursor))
  assert.deepEqual(await list(`tag/WALK?limit=2&cursor=${cursor}`), made.slice(3, 5))
  await revise(send, author, editor, { _id: cursor, tags: ['GONE'] })
  assert.deepEqual(await list(`tag/WALK?limit=2&cursor=${cursor}`), made.slice(3, 5))
  dataOf(await remove(cursor))
  dataOf(await remove(made[3] ?? ''))
  assert.deepEqual(await list(`tag/WALK?limit=2&cursor=${cursor}`), made.slice(4, 6))
  // When it is published again, it is in the same place.
  const back = made[4] ?? ''
  dataOf(await unpublish(back))
  dataOf(await send(`PUT /author/submit/id/${back}`, { token: author.token }))
  dataOf(await publish(send, editor, back))
  assert.deepEqual(await list(`tag/WALK?limit=2&cursor=${cursor}`), made.slice(4, 6))
})

test('following the cursor shows each blog once, even those published at the same moment', async () => {
  const made = await published('TIES', 6)
  const blogs = it.mongo.db.collection('blogs')
  const ids = made.map(id => new ObjectId(id))
  await blogs.updateMany({ _id: { $in: ids.slice(1, 5) } }, { $set: { publishedAt: new Date(1_700_000_000_000) } })
  const all = await list('tag/TIES?limit=1000')
  assert.equal(new Set(all).size, 6)
  for (const limit of [1, 2, 4]) {
    const seen = await list(`tag/TIES?limit=${limit}`)
    for (;;) {
      const next = await list(`tag/TIES?limit=${limit}&cursor=${seen.at(-1)}`)
      if (next.length === 0) break
      seen.push(...next)
      assert.ok(seen.length <= 6)
    }
    assert.deepEqual(seen, all, `limit ${limit}`)
    const pages = await Promise.all([1, 2, 3, 4, 5, 6].map(page => list(`tag/TIES?page=${page}&limit=${limit}`)))
    assert.deepEqual(pages.flat(), all, `pages of ${limit}`)
  }
})

test('invalid cursors are refused', async () => {
  const { send } = it
  const [id = ''] = await published('CURSOR', 1)
  const draft = await makeBlog(send, author)
  const tampered = [
    '',
    'x',
    'start',
    id.slice(1),
    `${id}0`,
    id.toUpperCase(),
    `${id.slice(1)}%00`,
    '$gt',
    '[object Object]',
  ]
  const refused: [string, string][] = [
    ...tampered.map(cursor => [`cursor=${cursor}`, 'VALIDATION_FAILED'] as [string, string]),
    [`cursor=${id}&cursor=${id}`, 'VALIDATION_FAILED'],
    [`cursor[$gt]=${id}`, 'VALIDATION_FAILED'],
    [`cursor=${id}&limit=1001`, 'VALIDATION_FAILED'],
    [`cursor=${'0'.repeat(24)}`, 'CURSOR_INVALID'],
    [`cursor=${draft._id}`, 'CURSOR_INVALID'],
  ]
  for (const [query, error] of refused) {
    for (const path of ['latest', 'tag/CURSOR']) {
      const { status, body } = await send(`GET /list/${path}?${query}`)
      assert.deepEqual([status, body.error], [400, error], `${path}: ${query}`)
    }
  }
})
