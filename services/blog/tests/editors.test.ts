import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { User } from './support/auth-double.ts'
import { dataOf, idsOf, makeBlog, publish, type Running, startBlog } from './support/platform.ts'

let it: Running
let author: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR', 'Ada')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

const asEditor = (route: string) => it.send(route, { token: editor.token })
const asAuthor = (route: string, body?: object) => it.send(route, { token: author.token, ...(body ? { body } : {}) })

test('an editor reads what was submitted or is public, never an unsubmitted draft', async () => {
  const { _id } = await makeBlog(it.send, author)
  const hidden = async () => {
    const { status, body } = await asEditor(`GET /editor/id/${_id}`)
    assert.deepEqual([status, body.error], [404, 'BLOG_NOT_FOUND'])
  }
  await hidden()
  const submitted = dataOf(await asAuthor(`PUT /author/submit/id/${_id}`))
  assert.deepEqual(dataOf(await asEditor(`GET /editor/id/${_id}`)), submitted)
  dataOf(await asAuthor(`PUT /author/withdraw/id/${_id}`))
  await hidden()
  dataOf(await asAuthor(`PUT /author/submit/id/${_id}`))
  const published = dataOf(await publish(it.send, editor, _id))
  assert.deepEqual(dataOf(await asEditor(`GET /editor/id/${_id}`)), published)
  dataOf(await asEditor(`PUT /editor/unpublish/id/${_id}`))
  await hidden()
  assert.equal((await asEditor(`GET /editor/id/${'f'.repeat(24)}`)).body.error, 'BLOG_NOT_FOUND')
})

test('what was published last is for the author and editors, also when it is no longer public; others are refused', async () => {
  const { _id } = await makeBlog(it.send, author)
  const read = ({ token }: User) => it.send(`GET /published/id/${_id}`, { token })
  const strangers = [await it.auth.signUp('AUTHOR'), await it.auth.signUp('LEARNER')]
  const refuseStrangers = async () => {
    for (const user of strangers) {
      const { status, body } = await read(user)
      assert.deepEqual([status, body.error], [403, 'FORBIDDEN'])
    }
  }
  const isHidden = async () => {
    for (const user of [author, editor, ...strangers]) assert.equal((await read(user)).body.error, 'BLOG_NOT_FOUND')
  }
  await isHidden()
  dataOf(await asAuthor(`PUT /author/submit/id/${_id}`))
  const { title, text, revision } = dataOf(await publish(it.send, editor, _id))
  dataOf(await asAuthor('PUT /author', { _id, title: 'Nobody has read this', draftText: 'Nor this' }))
  dataOf(await asEditor(`PUT /editor/unpublish/id/${_id}`))
  for (const user of [author, editor]) {
    const shown = dataOf(await read(user))
    assert.deepEqual(
      [shown.title, shown.text, shown.draftText, shown.revision, shown.published],
      [title, text, text, revision, false],
    )
  }
  await refuseStrangers()
  assert.equal((await it.send(`GET /published/id/${_id}`)).status, 401)
  dataOf(await asAuthor(`DELETE /author/id/${_id}`))
  await isHidden()
})

test('editors’ lists: everybody’s blogs by state, most recently changed first, in pages', async () => {
  const { send, auth } = it
  const other = await auth.signUp('AUTHOR')
  const list = async (path: string) => idsOf(await asEditor(`GET /editor/${path}`))
  const before = { submitted: await list('submitted'), published: await list('published') }
  const made: string[] = []
  for (const user of [author, other, author, other]) {
    const { _id } = await makeBlog(send, user)
    made.unshift(_id)
    dataOf(await send(`PUT /author/submit/id/${_id}`, { token: user.token }))
  }
  const [four = '', three = '', two = '', one = ''] = made
  await makeBlog(send, other)
  assert.deepEqual(await list('submitted?limit=1000'), [...made, ...before.submitted])
  assert.deepEqual(await list('submitted?limit=1'), [four])
  assert.deepEqual(await list('submitted?page=2&limit=2'), [two, one])
  assert.deepEqual(await list('submitted?page=1000&limit=1000'), [])
  for (const id of [two, four]) dataOf(await publish(send, editor, id))
  assert.deepEqual((await list('submitted')).slice(0, 2), [three, one])
  assert.deepEqual(await list('published?limit=1000'), [four, two, ...before.published])
  const [item] = dataOf(await asEditor('GET /editor/published'))
  const {
    text: _text,
    draftText: _draftText,
    author: profile,
    ...shown
  } = dataOf(await asEditor(`GET /editor/id/${four}`))
  const { publishedRevision: _revision, ...listed } = shown
  assert.deepEqual(item, { ...listed, authorId: profile.id })
  assert.equal(profile.id, other.id)
  dataOf(await asEditor(`PUT /editor/unpublish/id/${four}`))
  assert.deepEqual(await list('published?limit=1000'), [two, ...before.published])
})

test('an admin may do what an editor may', async () => {
  const { token } = await it.auth.signUp('ADMIN')
  for (const path of ['submitted', 'published'])
    assert.equal((await it.send(`GET /editor/${path}`, { token })).status, 200)
  for (const path of ['drafts', 'submitted', 'published']) {
    assert.deepEqual(dataOf(await it.send(`GET /author/${path}`, { token })), [])
  }
})
