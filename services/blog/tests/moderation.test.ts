import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { User } from './support/auth-double.ts'
import { dataOf, draft, handIn, idsOf, makeBlog, publish, type Running, startBlog } from './support/platform.ts'

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
const change = async (body: object) => dataOf(await as(author, 'PUT /author', body))
const publishRevision = (id: string, revision: number) =>
  as(editor, `PUT /editor/publish/id/${id}?revision=${revision}`)
const refusal = ({ status, body }: { status: number; body: { error?: string } }) => [status, body.error]

test('only what an editor has read becomes public: if a change was submitted in the meantime, publishing is refused', async () => {
  const { send } = it
  const { _id } = await makeBlog(send, author, undefined, { draftText: 'HARMLESS' })
  await handIn(send, author, _id)
  const read = dataOf(await as(editor, `GET /editor/id/${_id}`))
  assert.deepEqual([read.draftText, read.revision], ['HARMLESS', 1])

  for (const fields of [{ draftText: 'HARMFUL' }, { title: 'Harmful' }, { tags: ['HARMFUL'] }]) {
    const { revision } = await change({ _id, ...fields })
    // Whether it was resubmitted or not.
    for (let handedIn = 0; handedIn < 2; handedIn++) {
      const refused = await publishRevision(_id, read.revision)
      assert.deepEqual([...refusal(refused), refused.body.data], [409, 'REVISION_CONFLICT', { revision }])
      await handIn(send, author, _id)
    }
  }
  assert.equal((await send(`GET /id/${_id}`)).status, 404)
  const again = dataOf(await as(editor, `GET /editor/id/${_id}`))
  assert.deepEqual([again.draftText, again.title, again.tags, again.revision], ['HARMFUL', 'Harmful', ['HARMFUL'], 4])
  assert.deepEqual(refusal(await publishRevision(_id, 5)), [409, 'REVISION_CONFLICT'], 'one that is not there yet')
  assert.equal(dataOf(await publishRevision(_id, 4)).text, 'HARMFUL')
})

test('the same content is the same revision, even if it is sent twice', async () => {
  const body = draft({ title: '$title', imgUrl: 'https://pics.example/1.png', tags: ['A', 'B'] })
  const { _id, revision } = dataOf(await as(author, 'POST /author', body))
  const { slug: _slug, ...fields } = body
  assert.equal((await change({ _id, ...fields })).revision, revision)
  const second = await change({ _id, tags: ['B', 'A'] })
  assert.deepEqual([second.revision, second.title, second.tags], [revision + 1, '$title', ['B', 'A']])
  assert.equal((await change({ _id, tags: ['B', 'A'] })).revision, revision + 1)
  assert.equal((await change({ _id, draftText: '$draftText' })).draftText, '$draftText')
})

test('nothing of a published blog changes in any public read before an editor has published it again', async () => {
  const { send } = it
  const words = { title: 'Wombat one', description: 'Marsupial one', tags: ['WOMBAT'], draftText: 'One' }
  const { _id, slug } = await makeBlog(send, author, editor, { ...words, imgUrl: 'https://pics.example/one.png' })
  const twin = await makeBlog(send, author, editor, words)
  const everything = async () => {
    const lists = ['/list/latest', '/list/tag/WOMBAT', '/list/tag/QUOKKA', '/search?q=wombat', '/search?q=quokka']
    const answers = [`/id/${_id}`, `/slug/${slug}`, `/slug/${slug}-two`, ...lists, `/list/similar/id/${twin._id}`]
    return Promise.all(answers.map(async path => (await send(`GET ${path}`)).body.data))
  }
  const before = await everything()
  const next = {
    ...{ title: 'Quokka two', description: 'Marsupial two', tags: ['QUOKKA'], draftText: 'Two' },
    ...{ imgUrl: 'https://pics.example/two.png', slug: `${slug}-two` },
  }
  const drafted = await change({ _id, ...next })
  assert.deepEqual([drafted.title, drafted.slug, drafted.text], ['Quokka two', `${slug}-two`, 'One'])
  assert.deepEqual(await everything(), before)
  const mine = dataOf(await as(author, `GET /author/id/${_id}`))
  assert.deepEqual(mine, drafted)
  // Editors cannot read it before it is submitted either: they see the public version, which they may have to unpublish.
  const seen = dataOf(await as(editor, `GET /editor/id/${_id}`))
  assert.deepEqual([seen.title, seen.draftText, seen.revision], ['Wombat one', 'One', 1])
  for (const [user, path] of [[editor, '/editor/published'] as const, [author, '/author/published'] as const]) {
    const [first] = dataOf(await as(user, `GET ${path}?limit=1`))
    assert.deepEqual([first._id, first.title, first.slug, first.revision], [_id, 'Wombat one', slug, 1], path)
  }
  const [listed] = dataOf(await as(author, 'GET /author/drafts?limit=1'))
  assert.deepEqual([listed._id, listed.title, listed.revision], [_id, 'Quokka two', 2])

  const revision = await handIn(send, author, _id)
  assert.deepEqual(await everything(), before)
  dataOf(await publishRevision(_id, revision))
  const { text, publishedAt: _at, author: _author, ...item } = dataOf(await send(`GET /id/${_id}`))
  const { draftText, ...head } = next
  assert.deepEqual({ text, ...item }, { _id, score: 0.01, ...head, text: draftText })
  assert.deepEqual(idsOf(await send('GET /list/tag/QUOKKA')), [_id])
  assert.deepEqual(idsOf(await send('GET /list/tag/WOMBAT')), [twin._id])
  assert.deepEqual(idsOf(await send('GET /search?q=quokka')), [_id])

  await change({ _id, title: 'Numbat three' })
  dataOf(await as(editor, `PUT /editor/unpublish/id/${_id}`))
  for (const path of [`/id/${_id}`, `/slug/${slug}`]) assert.equal((await send(`GET ${path}`)).status, 404)
})

test('a slug that was public leads to its blog or nowhere, forever; the slug of a draft leads nowhere', async () => {
  const { send } = it
  const { _id, slug } = await makeBlog(send, author, editor)
  const moves = [`${slug}-b`, `${slug}-c`]
  for (const next of moves) {
    await change({ _id, slug: next })
    assert.equal((await send(`GET /slug/${next}`)).status, 404)
    await handIn(send, author, _id)
    assert.equal((await send(`GET /slug/${next}`)).status, 404)
    dataOf(await publish(send, editor, _id))
  }
  await change({ _id, slug: `${slug}-d` })
  const were = [slug, ...moves]
  for (const each of were) {
    const found = dataOf(await send(`GET /slug/${each}`))
    assert.deepEqual([found._id, found.slug], [_id, `${slug}-c`], each)
  }
  const nobodyElse = async (taken: readonly string[]) => {
    const theirs = await makeBlog(send, other)
    for (const each of taken) {
      const answers = [
        await as(other, 'POST /author', draft({ slug: each })),
        await as(other, 'PUT /author', { _id: theirs._id, slug: each }),
        await as(author, 'POST /author', draft({ slug: each })),
      ]
      for (const answer of answers) assert.deepEqual(refusal(answer), [409, 'SLUG_TAKEN'], each)
    }
  }
  await nobodyElse([...were, `${slug}-d`])
  await change({ _id, slug: `${slug}-c` })
  const free = await makeBlog(send, other, editor, { slug: `${slug}-d` })
  assert.equal(dataOf(await send(`GET /slug/${slug}-d`))._id, free._id)
  assert.deepEqual(refusal(await as(author, 'PUT /author', { _id, slug: `${slug}-d` })), [409, 'SLUG_TAKEN'])

  dataOf(await as(editor, `PUT /editor/unpublish/id/${_id}`))
  await nobodyElse(were)
  for (const each of were) assert.equal((await send(`GET /slug/${each}`)).status, 404)
  dataOf(await as(author, `DELETE /author/id/${_id}`))
  await nobodyElse(were)
})

test('publishing, unpublishing and deleting again get the same answer, and undo nothing', async () => {
  const { send } = it
  const { _id } = await makeBlog(send, author)
  const unpublish = () => as(editor, `PUT /editor/unpublish/id/${_id}`)
  assert.deepEqual(refusal(await unpublish()), [400, 'BLOG_NOT_PUBLISHED'])
  const revision = await handIn(send, author, _id)
  const first = dataOf(await publishRevision(_id, revision))
  assert.deepEqual(dataOf(await publishRevision(_id, revision)), first)
  const edited = await change({ _id, draftText: 'Later' })
  const repeated = dataOf(await publishRevision(_id, revision))
  assert.deepEqual([repeated.text, repeated.revision, repeated.drafted], [first.text, revision, true])
  assert.deepEqual(refusal(await publishRevision(_id, edited.revision)), [400, 'BLOG_NOT_SUBMITTED'])

  const off = dataOf(await unpublish())
  assert.deepEqual(dataOf(await unpublish()), off)
  assert.deepEqual(refusal(await publishRevision(_id, revision)), [409, 'REVISION_CONFLICT'])
  await change({ _id, draftText: first.draftText })
  dataOf(await as(author, `PUT /author/withdraw/id/${_id}`))
  assert.equal((await send(`GET /id/${_id}`)).status, 404, 'a late repetition publishes nothing')

  const remove = (user: User) => as(user, `DELETE /author/id/${_id}`)
  assert.deepEqual(refusal(await remove(other)), [403, 'NOT_THE_OWNER'])
  const gone = await remove(author)
  assert.deepEqual(await remove(author), { ...gone, body: gone.body })
  assert.deepEqual(refusal(await remove(other)), [404, 'BLOG_NOT_FOUND'])
  assert.deepEqual(refusal(await publishRevision(_id, revision)), [404, 'BLOG_NOT_FOUND'])
})

test('every list limits page numbers that would be too expensive', async () => {
  const lists: [string, User | undefined][] = [
    ['/list/latest?', undefined],
    ['/list/tag/NATS?', undefined],
    ['/search?q=title&', undefined],
    ['/author/drafts?', author],
    ['/editor/published?', editor],
  ]
  for (const [path, user] of lists) {
    const sent = user ? { token: user.token } : {}
    assert.deepEqual(dataOf(await it.send(`GET ${path}page=1000&limit=1000`, sent)), [], path)
    for (const page of ['1001', '1000000', '1000000000', '9007199254740993', '1e4']) {
      assert.deepEqual(refusal(await it.send(`GET ${path}page=${page}`, sent)), [400, 'VALIDATION_FAILED'], path + page)
    }
  }
})
