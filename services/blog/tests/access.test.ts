import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadKeyRing } from 'tsmicro/auth'
import type { User } from './support/auth-double.ts'
import { dataOf, draft, makeBlog, type Running, startBlog } from './support/platform.ts'
import { until } from './support/until.ts'

let it: Running
let author: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

const id = 'f'.repeat(24)
const asAuthor = [
  ...['POST /author', 'PUT /author', `PUT /author/submit/id/${id}`],
  ...[`PUT /author/withdraw/id/${id}`, `GET /author/id/${id}`, `DELETE /author/id/${id}`],
]
const asEditor = [`PUT /editor/publish/id/${id}?revision=1`, `PUT /editor/unpublish/id/${id}`, `GET /editor/id/${id}`]
const authorLists = ['GET /author/drafts', 'GET /author/submitted', 'GET /author/published']
const editorLists = ['GET /editor/submitted', 'GET /editor/published']
const guarded = [...asAuthor, ...asEditor, ...authorLists, ...editorLists]

test('without a valid token every protected route answers 401, and does not ask anybody about a forged one', async () => {
  const { send, auth } = it
  const directory = await mkdtemp(join(tmpdir(), 'blog-foreign-'))
  const foreign = await loadKeyRing({ directory, createIfMissing: true })
  await rm(directory, { recursive: true })
  const [head = '', claims = '', signature = ''] = author.token.split('.')
  const other = await auth.signIn(editor.id)
  const tokens: Record<string, string | undefined> = {
    none: undefined,
    nonsense: 'nonsense',
    'no signature': `${head}.${claims}.`,
    'changed claims': `${head}.${other.split('.')[1]}.${signature}`,
    'another key': await auth.forge(author.id, { keyRing: foreign }),
    'another issuer': await auth.forge(author.id, { issuer: 'https://evil.example' }),
    'another audience': await auth.forge(author.id, { audience: 'others' }),
    'a refresh token': await auth.forge(author.id, { type: 'refresh' }),
    expired: await auth.forge(author.id, { age: 2000 }),
  }
  const before = auth.asked
  for (const [name, token] of Object.entries(tokens)) {
    for (const route of guarded) {
      const { status, body } = await send(route, token === undefined ? {} : { token })
      assert.deepEqual([status, body.error], [401, 'UNAUTHENTICATED'], `${name}: ${route}`)
    }
  }
  assert.equal(auth.asked, before)
  const stranger = await auth.forge('00000000-0000-4000-8000-000000000000')
  assert.equal((await send('POST /author', { token: stranger, body: draft() })).status, 401)
})

test('a token whose session has ended is refused everywhere within a second', async () => {
  const { send, auth } = it
  const user = await auth.signUp('EDITOR')
  const { token } = user
  assert.equal((await send(asEditor[0] ?? '', { token })).status, 404)
  auth.signOut(user)
  // This measures no time: once it is refused, it stays refused.
  await until(
    () => send(asEditor[0] ?? '', { token }),
    ({ status }) => status === 401,
  )
  for (const route of guarded) assert.equal((await send(route, { token })).status, 401, route)
})

test('a burst of calls with one token asks the auth service once', async () => {
  const { send, auth } = it
  const { token } = await auth.signUp('AUTHOR')
  const before = auth.asked
  await Promise.all(Array.from({ length: 20 }, () => send(asAuthor[2] ?? '', { token })))
  assert.ok(auth.asked - before < 20, `asked ${auth.asked - before} times`)
})

test('a role that is too low gets 403; a granted role counts at once, and a revoked one soon no longer', async () => {
  const { send, auth } = it
  const learner = await auth.signUp('LEARNER')
  for (const route of guarded) {
    const { status, body } = await send(route, { token: learner.token })
    assert.deepEqual([status, body.error], [403, 'FORBIDDEN'], route)
  }
  for (const route of [...asEditor, ...editorLists]) {
    assert.equal((await send(route, { token: author.token })).status, 403, route)
  }
  auth.setRole(learner.id, 'ADMIN')
  for (const route of asEditor) assert.equal((await send(route, { token: learner.token })).status, 404, route)
  auth.setRole(learner.id, 'LEARNER')
  await until(
    () => send(asEditor[0] ?? '', { token: learner.token }),
    ({ status }) => status === 403,
  )
  for (const route of asEditor) assert.equal((await send(route, { token: learner.token })).status, 403, route)
})

test('every invalid field is named', async () => {
  const { send } = it
  const long = (length: number) => 'x'.repeat(length)
  const wrong: [string, unknown][] = [
    ['title', undefined],
    ['title', 'ab'],
    ['title', long(501)],
    ['title', 7],
    ['description', undefined],
    ['description', 'ab'],
    ['description', long(2001)],
    ['draftText', undefined],
    ['draftText', long(50_001)],
    ['draftText', null],
    ['slug', undefined],
    ['slug', 'ab'],
    ['slug', long(201)],
    ['imgUrl', 'no address'],
    ['imgUrl', 'ftp://pics.example/1.png'],
    ['imgUrl', `https://pics.example/${long(200)}`],
    ['tags', undefined],
    ['tags', []],
    ['tags', ['lower']],
    ['tags', 'NATS'],
    ['tags', ['NATS', 'NATS']],
  ]
  for (const [field, value] of wrong) {
    const { status, body } = await send('POST /author', { token: author.token, body: draft({ [field]: value }) })
    assert.deepEqual([status, body.error], [400, 'VALIDATION_FAILED'], `${field}: ${value}`)
    assert.ok(JSON.stringify(body.details).includes(field), `${field}: ${JSON.stringify(body.details)}`)
    if (value === undefined) continue
    const change = await send('PUT /author', { token: author.token, body: { _id: id, [field]: value } })
    assert.deepEqual([change.status, change.body.error], [400, 'VALIDATION_FAILED'], `change ${field}: ${value}`)
  }
})

test('unknown fields, unexpected bodies and invalid ids are refused', async () => {
  const { send } = it
  const { token } = author
  const wrong: [string, object][] = [
    ['POST /author', { token, body: draft({ score: 1 }) }],
    ['POST /author', { token, body: draft({ status: true }) }],
    ['POST /author', { token, body: [] }],
    ['POST /author', { token }],
    ['POST /author?draft=1', { token, body: draft() }],
    ['PUT /author', { token, body: { _id: id } }],
    ['PUT /author', { token, body: { _id: { $ne: null }, title: 'All of them' } }],
    ['PUT /author', { token, body: { title: 'Which one' } }],
    ['PUT /author', { token, body: { _id: id, author: author.id } }],
    ['PUT /author/submit/id/xyz', { token }],
    [`PUT /author/submit/id/${id}`, { token, body: { force: true } }],
    ['PUT /author/withdraw/id/xyz', { token }],
    [`PUT /author/withdraw/id/${id}`, { token, body: { force: true } }],
    ['GET /author/id/xyz', { token }],
    [`GET /author/id/${id}?x=1`, { token }],
    ['DELETE /author/id/xyz', { token }],
    [`DELETE /author/id/${id}?x=1`, { token }],
    ...[...authorLists, ...editorLists].flatMap(list =>
      ['page=0', 'page=1001', 'limit=0', 'limit=1001', 'limit=ten', 'page[$gt]=1', `cursor=${id}`, 'author=x'].map(
        (query): [string, object] => [`${list}?${query}`, { token: editor.token }],
      ),
    ),
    ['GET /editor/id/xyz', { token: editor.token }],
    [`GET /editor/id/${id}?x=1`, { token: editor.token }],
    ['PUT /editor/publish/id/0?revision=1', { token: editor.token }],
    ...['', '?revision=', '?revision=0', '?revision=-1', '?revision=1.5', '?revision=x', '?revision=1&revision=2'].map(
      (query): [string, object] => [`PUT /editor/publish/id/${id}${query}`, { token: editor.token }],
    ),
    [`PUT /editor/publish/id/${id}?revision=9007199254740993`, { token: editor.token }],
    ['PUT /editor/unpublish/id/0', { token: editor.token }],
    [`GET /id/${id.toUpperCase()}`, {}],
    ['GET /id/1', {}],
    [`GET /id/${id}?x=1`, {}],
    ['GET /slug/ab', {}],
    [`GET /slug/${'x'.repeat(201)}`, {}],
    ['GET /list/latest?page=0', {}],
    ['GET /list/latest?page=one', {}],
    ['GET /list/latest?limit=0', {}],
    ['GET /list/latest?limit=1001', {}],
    ['GET /list/latest?sort=title', {}],
  ]
  for (const [route, sent] of wrong) {
    const { status, body } = await send(route, sent)
    assert.deepEqual([status, body.error], [400, 'VALIDATION_FAILED'], route)
  }
})

test('the longest allowed values are accepted and come back unchanged', async () => {
  const { send } = it
  const body = draft({
    title: '"'.repeat(500),
    description: 'ü'.repeat(2000),
    draftText: '😀'.repeat(25_000),
    slug: `${'ㄱ'.repeat(50)}${'x'.repeat(150)}`,
    tags: Array.from({ length: 20 }, (_, n) => `${'T'.repeat(47)} ${n}`),
  })
  const { _id } = await makeBlog(send, author, editor, body)
  const read = dataOf(await send(`GET /id/${_id}`))
  assert.deepEqual([read.title, read.description, read.text], [body.title, body.description, body.draftText])
  assert.equal(read.slug, 'x'.repeat(150))
})
