import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { User } from './support/auth-double.ts'
import { dataOf, draft, idsOf, makeBlog, publish as publishBy, type Running, startBlog } from './support/platform.ts'

let it: Running
let author: User
let other: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR', 'Ada')
  other = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

const as = (user: User, route: string, body?: object) =>
  it.send(route, { token: user.token, ...(body ? { body } : {}) })
const submit = (id: string) => as(author, `PUT /author/submit/id/${id}`)
const publish = (id: string) => publishBy(it.send, editor, id)
const withdraw = (id: string) => as(author, `PUT /author/withdraw/id/${id}`)
const remove = (id: string) => as(author, `DELETE /author/id/${id}`)
const flags = ({ submitted, drafted, published }: Record<string, unknown>) => [submitted, drafted, published]

test('authors can read their own blogs in every state', async () => {
  const body = draft()
  const created = dataOf(await as(author, 'POST /author', body))
  const read = async () => dataOf(await as(author, `GET /author/id/${created._id}`))
  assert.deepEqual(await read(), created)
  const submitted = dataOf(await submit(created._id))
  assert.deepEqual(await read(), submitted)
  const published = dataOf(await publish(created._id))
  assert.deepEqual(await read(), published)
  const changed = dataOf(await as(author, 'PUT /author', { _id: created._id, draftText: 'Two' }))
  assert.deepEqual(await read(), changed)
  assert.deepEqual([changed.text, changed.draftText], [body.draftText, 'Two'])
})

test('other authors’ blogs are refused to everybody; missing ones are not found', async () => {
  const { _id } = await makeBlog(it.send, author, editor)
  const doors = ['GET /author/id/', 'DELETE /author/id/', 'PUT /author/withdraw/id/']
  for (const door of doors) {
    for (const user of [other, editor]) {
      const { status, body } = await as(user, door + _id)
      assert.deepEqual([status, body.error], [403, 'NOT_THE_OWNER'], door)
    }
    const none = await as(author, door + 'f'.repeat(24))
    assert.deepEqual([none.status, none.body.error], [404, 'BLOG_NOT_FOUND'], door)
    for (const path of ['x', 'F'.repeat(24), '%00', `${_id}?x=1`]) {
      const { status, body } = await as(author, door + path)
      assert.deepEqual([status, body.error], [400, 'VALIDATION_FAILED'], door + path)
    }
  }
  const surplus = await as(author, `PUT /author/withdraw/id/${_id}`, { force: true })
  assert.deepEqual([surplus.status, surplus.body.error], [400, 'VALIDATION_FAILED'])
  assert.equal((await it.send(`GET /id/${_id}`)).status, 200)
})

test('a submitted blog can be withdrawn; withdrawing again, or without submission, changes nothing', async () => {
  const { _id } = await makeBlog(it.send, author)
  const before = dataOf(await as(author, `GET /author/id/${_id}`))
  assert.deepEqual(dataOf(await withdraw(_id)), before)
  dataOf(await submit(_id))
  const withdrawn = await withdraw(_id)
  assert.equal(withdrawn.body.message, 'Blog withdrawn')
  assert.deepEqual(flags(dataOf(withdrawn)), [false, true, false])
  assert.deepEqual(dataOf(await withdraw(_id)), dataOf(withdrawn))
  assert.equal((await publish(_id)).body.error, 'BLOG_NOT_SUBMITTED')

  dataOf(await submit(_id))
  const published = dataOf(await publish(_id))
  assert.deepEqual(dataOf(await withdraw(_id)), published)
  dataOf(await as(author, 'PUT /author', { _id, draftText: 'Two' }))
  dataOf(await submit(_id))
  assert.deepEqual(flags(dataOf(await withdraw(_id))), [false, true, true])
  assert.equal(dataOf(await it.send(`GET /id/${_id}`))._id, _id)
})

test('of a concurrent withdrawal and publication one visibly comes first', async () => {
  const { _id } = await makeBlog(it.send, author)
  for (let round = 0; round < 10; round++) {
    dataOf(await as(author, 'PUT /author', { _id, draftText: `Text ${round}` }))
    const { revision } = dataOf(await submit(_id))
    const publishing = () => as(editor, `PUT /editor/publish/id/${_id}?revision=${revision}`)
    const [publication, withdrawal] = await Promise.all(
      round % 2 ? [publishing(), withdraw(_id)] : [withdraw(_id), publishing()].reverse(),
    )
    assert.ok(publication && withdrawal)
    const now = dataOf(await as(author, `GET /author/id/${_id}`))
    dataOf(withdrawal)
    if (publication.status === 200) assert.deepEqual([now.text, now.drafted], [`Text ${round}`, false])
    else assert.deepEqual([publication.body.error, now.drafted], ['BLOG_NOT_SUBMITTED', true])
    assert.equal(now.submitted, false)
  }
})

test('a deleted blog disappears everywhere at once, and nobody can take its slug', async () => {
  const { send } = it
  const words = { title: 'Dodo', description: 'Mauritius', tags: ['DODO'] }
  const { _id, slug } = await makeBlog(send, author, editor, words)
  const twin = await makeBlog(send, author, editor, words)
  const lists: [string, User | undefined][] = [
    ['/list/latest?limit=1000', undefined],
    ['/list/tag/DODO', undefined],
    ['/search?q=dodo', undefined],
    [`/list/similar/id/${twin._id}`, undefined],
    ['/author/published', author],
    ['/author/drafts', author],
    ['/author/submitted', author],
    ['/editor/published', editor],
    ['/editor/submitted', editor],
  ]
  dataOf(await as(author, 'PUT /author', { _id, draftText: 'Two' }))
  const listed = async () => {
    const paths = []
    for (const [path, user] of lists) {
      const ids = idsOf(await send(`GET ${path}`, user ? { token: user.token } : {}))
      if (ids.includes(_id)) paths.push(path)
    }
    return paths
  }
  const everywhere = lists.map(([path]) => path).filter(path => !path.endsWith('submitted'))
  assert.deepEqual(await listed(), everywhere)
  dataOf(await submit(_id))
  assert.deepEqual(
    await listed(),
    lists.map(([path]) => path).filter(path => !path.endsWith('drafts')),
  )
  for (const path of [`/id/${_id}`, `/slug/${slug}`]) assert.equal((await send(`GET ${path}`)).status, 200)

  const { status, body } = await remove(_id)
  assert.deepEqual([status, body.message, 'data' in body], [200, 'Blog deleted', false])
  assert.deepEqual(await listed(), [])
  const gone: [string, User | undefined, object?][] = [
    [`GET /id/${_id}`, undefined],
    [`GET /slug/${slug}`, undefined],
    [`GET /list/similar/id/${_id}`, undefined],
    [`GET /author/id/${_id}`, author],
    [`PUT /author/submit/id/${_id}`, author],
    [`PUT /author/withdraw/id/${_id}`, author],
    ['PUT /author', author, { _id, title: 'Alive' }],
    [`DELETE /author/id/${_id}`, other],
    [`GET /editor/id/${_id}`, editor],
    [`PUT /editor/publish/id/${_id}?revision=2`, editor],
    [`PUT /editor/unpublish/id/${_id}`, editor],
  ]
  for (const [route, user, sent] of gone) {
    const answer = await send(route, { ...(user ? { token: user.token } : {}), ...(sent ? { body: sent } : {}) })
    assert.deepEqual([answer.status, answer.body.error], [404, 'BLOG_NOT_FOUND'], route)
  }
  for (const user of [author, other]) {
    const again = await as(user, 'POST /author', draft({ slug }))
    assert.deepEqual([again.status, again.body.error, again.body.data], [409, 'SLUG_TAKEN', { slug }])
  }
  const renamed = await as(author, 'PUT /author', { _id: twin._id, slug })
  assert.deepEqual([renamed.status, renamed.body.error], [409, 'SLUG_TAKEN'])
})

test('authors’ lists: only their own blogs, by state, most recently changed first, in pages', async () => {
  const { send, auth } = it
  const eve = await auth.signUp('AUTHOR')
  const list = async (path: string) => idsOf(await as(eve, `GET /author/${path}`))
  for (const path of ['drafts', 'submitted', 'published']) assert.deepEqual(await list(path), [])
  const made: string[] = []
  for (let n = 0; n < 4; n++) made.push((await makeBlog(send, eve))._id)
  const [one = '', two = '', three = '', four = ''] = made
  assert.deepEqual(await list('drafts'), [four, three, two, one])
  dataOf(await as(eve, 'PUT /author', { _id: two, title: 'Touched' }))
  assert.deepEqual(await list('drafts'), [two, four, three, one])
  assert.deepEqual(await list('drafts?limit=1'), [two])
  assert.deepEqual(await list('drafts?page=2&limit=3'), [one])
  assert.deepEqual(await list('drafts?page=3&limit=3'), [])
  assert.deepEqual(await list('drafts?page=1000&limit=1000'), [])
  for (const id of [one, two, three]) dataOf(await as(eve, `PUT /author/submit/id/${id}`))
  assert.deepEqual(await list('drafts'), [four])
  assert.deepEqual(await list('submitted'), [three, two, one])
  for (const id of [three, one]) dataOf(await publish(id))
  assert.deepEqual(await list('submitted'), [two])
  assert.deepEqual(await list('published'), [one, three])
  dataOf(await as(eve, 'PUT /author', { _id: three, draftText: 'More' }))
  assert.deepEqual(await list('published'), [three, one])
  assert.deepEqual(await list('drafts'), [three, four])
  assert.equal((await list('published')).length + (await list('submitted')).length, 3)

  const [item] = dataOf(await as(eve, 'GET /author/published'))
  const whole = dataOf(await as(eve, `GET /author/id/${three}`))
  const { text: _text, draftText: _draftText, author: profile, ...shown } = whole
  const { publishedRevision: revision, ...listed } = shown
  assert.deepEqual(item, { ...listed, revision, authorId: profile.id })
})

test('equal times do not disturb the pages of an author’s list', async () => {
  const { send, auth, mongo } = it
  const eve = await auth.signUp('AUTHOR')
  const made: string[] = []
  for (let n = 0; n < 6; n++) made.unshift((await makeBlog(send, eve))._id)
  await mongo.db
    .collection('blogs')
    .updateMany({ author: eve.id }, { $set: { updatedAt: new Date(1_700_000_000_000) } })
  const pages = []
  for (let page = 1; page <= 4; page++) pages.push(...idsOf(await as(eve, `GET /author/drafts?page=${page}&limit=2`)))
  assert.deepEqual(pages, made)
})
