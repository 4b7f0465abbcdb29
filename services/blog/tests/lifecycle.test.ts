import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { User } from './support/auth-double.ts'
import { dataOf, draft, makeBlog, publish, type Running, startBlog } from './support/platform.ts'

let it: Running
let author: User
let other: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR', 'Ada', 'https://pics.example/ada.png')
  other = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

test('a blog from draft to publication and back', async () => {
  const { send } = it
  const body = draft({ slug: 'Héllo,  World!', imgUrl: 'https://pics.example/1.png' })
  const created = await send('POST /author', { token: author.token, body })
  assert.deepEqual([created.status, created.body.status, created.body.code], [201, 201, '10000'])
  assert.equal(created.body.message, 'Blog created')
  const { _id, createdAt, updatedAt, ...shown } = dataOf(created)
  const profile = { id: author.id, name: 'Ada', profilePicUrl: 'https://pics.example/ada.png' }
  assert.deepEqual(shown, {
    ...body,
    slug: 'hello-world',
    score: 0.01,
    author: profile,
    revision: 1,
    submitted: false,
    drafted: true,
    published: false,
  })
  assert.equal(createdAt, updatedAt)
  assert.match(_id, /^[0-9a-f]{24}$/)
  assert.equal((await send(`GET /id/${_id}`)).status, 404)

  const submit = () => send(`PUT /author/submit/id/${_id}`, { token: author.token })
  const first = dataOf(await submit())
  assert.deepEqual([first.submitted, first.drafted, first.published], [true, false, false])
  const second = dataOf(await submit())
  assert.deepEqual([second.submitted, second.drafted], [true, false])

  const published = dataOf(await publish(send, editor, _id))
  assert.deepEqual([published.submitted, published.drafted, published.published], [false, false, true])
  assert.equal(published.text, body.draftText)
  const { publishedAt } = published

  const { draftText, ...rest } = body
  const publicForm = { _id, ...rest, slug: 'hello-world', score: 0.01, text: draftText, author: profile, publishedAt }
  assert.deepEqual(dataOf(await send(`GET /id/${_id}`)), publicForm)
  assert.deepEqual(dataOf(await send('GET /slug/hello-world')), publicForm)
  assert.deepEqual(dataOf(await send('GET /slug/H%C3%A9llo%20World')), publicForm)
  const [newest] = dataOf(await send('GET /list/latest'))
  const { text: _text, author: _author, publishedAt: _at, ...item } = publicForm
  assert.deepEqual(newest, item)

  const changed = dataOf(
    await send('PUT /author', { token: author.token, body: { _id, title: 'Newer', draftText: 'Two' } }),
  )
  assert.deepEqual([changed.submitted, changed.drafted, changed.published], [false, true, true])
  assert.deepEqual([changed.title, changed.revision, changed.publishedRevision], ['Newer', 2, 1])
  assert.deepEqual(dataOf(await send(`GET /id/${_id}`)), publicForm)

  dataOf(await submit())
  const again = dataOf(await publish(send, editor, _id))
  assert.equal(again.publishedAt, publishedAt)
  assert.deepEqual(dataOf(await send(`GET /id/${_id}`)), { ...publicForm, title: 'Newer', text: 'Two' })

  const unpublished = dataOf(await send(`PUT /editor/unpublish/id/${_id}`, { token: editor.token }))
  assert.deepEqual([unpublished.published, unpublished.drafted], [false, true])
  for (const path of [`/id/${_id}`, '/slug/hello-world']) {
    const { status, body } = await send(`GET ${path}`)
    assert.deepEqual([status, body.error, body.message], [404, 'BLOG_NOT_FOUND', 'There is no such blog'])
  }
})

test('a slug that was never public is free once its draft has another', async () => {
  const { send } = it
  const { _id, slug } = await makeBlog(send, author)
  const moved = dataOf(await send('PUT /author', { token: author.token, body: { _id, slug: `${slug} B!` } }))
  assert.equal(moved.slug, `${slug}-b`)
  const next = await makeBlog(send, other, editor, { slug })
  assert.equal(dataOf(await send(`GET /slug/${slug}`))._id, next._id)
})

test('a taken slug is reported on creation and on change, in any spelling', async () => {
  const { send } = it
  const one = await makeBlog(send, author)
  const two = await makeBlog(send, other)
  const taken = [
    await send('POST /author', { token: author.token, body: draft({ slug: one.slug.toUpperCase() }) }),
    await send('PUT /author', { token: other.token, body: { _id: two._id, slug: `-${one.slug}-` } }),
  ]
  for (const { status, body } of taken) {
    assert.deepEqual([status, body.error, body.data], [409, 'SLUG_TAKEN', { slug: one.slug }])
  }
  assert.equal((await send('PUT /author', { token: author.token, body: { ...one, slug: one.slug } })).status, 400)
  const same = await send('PUT /author', { token: author.token, body: { _id: one._id, slug: one.slug } })
  assert.equal(same.status, 200)
  for (const slug of ['---', '(a!)', 'привет']) {
    const invalid = await send('POST /author', { token: author.token, body: draft({ slug }) })
    assert.deepEqual([invalid.status, invalid.body.error], [400, 'SLUG_INVALID'], slug)
  }
})

test('changes are refused if the state does not allow them, the blog is somebody else’s, or there is no such blog', async () => {
  const { send } = it
  const { _id } = await makeBlog(send, author)
  const none = 'f'.repeat(24)
  const refusals: [string, object, number, string][] = [
    [`PUT /editor/publish/id/${_id}?revision=1`, { token: editor.token }, 400, 'BLOG_NOT_SUBMITTED'],
    [`PUT /editor/unpublish/id/${_id}`, { token: editor.token }, 400, 'BLOG_NOT_PUBLISHED'],
    [`PUT /editor/publish/id/${none}?revision=1`, { token: editor.token }, 404, 'BLOG_NOT_FOUND'],
    [`PUT /editor/unpublish/id/${none}`, { token: editor.token }, 404, 'BLOG_NOT_FOUND'],
    [`PUT /author/submit/id/${_id}`, { token: other.token }, 403, 'NOT_THE_OWNER'],
    [`PUT /author/submit/id/${none}`, { token: author.token }, 404, 'BLOG_NOT_FOUND'],
    ['PUT /author', { token: editor.token, body: { _id, title: 'Mine now' } }, 403, 'NOT_THE_OWNER'],
    ['PUT /author', { token: author.token, body: { _id: none, title: 'Mine now' } }, 404, 'BLOG_NOT_FOUND'],
    [`GET /id/${none}`, {}, 404, 'BLOG_NOT_FOUND'],
    ['GET /slug/no-such-blog', {}, 404, 'BLOG_NOT_FOUND'],
    ['GET /slug/%2B%2B%2B', {}, 404, 'BLOG_NOT_FOUND'],
  ]
  for (const [route, sent, status, error] of refusals) {
    const answer = await send(route, sent)
    assert.deepEqual([answer.status, answer.body.error, answer.body.code], [status, error, '10001'], route)
  }
})

test('a resubmitted blog stays submitted when its public version is unpublished', async () => {
  const { send } = it
  const { _id } = await makeBlog(send, author, editor)
  dataOf(await send(`PUT /author/submit/id/${_id}`, { token: author.token }))
  const { published, submitted, drafted } = dataOf(
    await send(`PUT /editor/unpublish/id/${_id}`, { token: editor.token }),
  )
  assert.deepEqual([published, submitted, drafted], [false, true, false])
  dataOf(await publish(send, editor, _id))
})

test('the latest blogs: newest publication first, in pages', async () => {
  const { send } = it
  const made = []
  for (let n = 0; n < 5; n++) made.unshift((await makeBlog(send, author, editor))._id)
  const ids = async (query: string) =>
    dataOf(await send(`GET /list/latest?${query}`)).map(({ _id }: { _id: string }) => _id)
  assert.deepEqual(await ids('limit=5'), made)
  assert.deepEqual(await ids('page=2&limit=2'), made.slice(2, 4))
  assert.deepEqual(await ids('page=1000&limit=1000'), [])
  assert.ok((await ids('')).length <= 10)
})
